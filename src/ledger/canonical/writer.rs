//! The writer: values as they come, members of objects put in order when the object ends.

use std::borrow::Cow;
use std::io::Write as _;

use serde::ser::{
    Error, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct,
    SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
    Serializer,
};

use super::{LARGEST, NotCanonical};

impl Error for NotCanonical {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::Unwritable
    }
}

/// Most events are shorter.
const USUAL: usize = 1_024;

pub(super) struct Writer {
    out: Vec<u8>,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            out: Vec::with_capacity(USUAL),
        }
    }
}

impl Writer {
    pub(super) fn into_text(self) -> Result<String, NotCanonical> {
        String::from_utf8(self.out).map_err(|_| NotCanonical::Unwritable)
    }

    fn put(&mut self, text: &str) -> Result<(), NotCanonical> {
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// The library's escapes are those of RFC 8785, section 3.2.2.2; most texts need none.
    fn put_string(&mut self, text: &str) -> Result<(), NotCanonical> {
        if text
            .bytes()
            .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
        {
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
            return Ok(());
        }
        serde_json::to_writer(&mut self.out, text).map_err(|_| NotCanonical::Unwritable)
    }

    fn object(&mut self) -> Object<'_> {
        let start = self.out.len();
        Object {
            writer: self,
            start,
            members: Vec::new(),
            name: None,
            variant: false,
        }
    }

    fn array(&mut self) -> Array<'_> {
        self.out.push(b'[');
        Array {
            writer: self,
            first: true,
            variant: false,
        }
    }

    /// `{"variant":`, to be closed by whoever writes the value.
    fn begin_variant(&mut self, variant: &str) -> Result<(), NotCanonical> {
        self.out.push(b'{');
        self.put_string(variant)?;
        self.out.push(b':');
        Ok(())
    }
}

/// A member whose value has been written, not yet in its place.
struct Member {
    name: Cow<'static, str>,
    from: usize,
    to: usize,
}

pub(super) struct Object<'a> {
    writer: &'a mut Writer,
    start: usize,
    members: Vec<Member>,
    name: Option<String>,
    variant: bool,
}

impl Object<'_> {
    fn member<T: Serialize + ?Sized>(
        &mut self,
        name: Cow<'static, str>,
        value: &T,
    ) -> Result<(), NotCanonical> {
        let from = self.writer.out.len();
        value.serialize(&mut *self.writer)?;
        self.members.push(Member {
            name,
            from: from - self.start,
            to: self.writer.out.len() - self.start,
        });
        Ok(())
    }

    fn finish(mut self) -> Result<(), NotCanonical> {
        // RFC 8785, section 3.2.3: by UTF-16 code units. For ASCII names that is the order of their bytes.
        if self.members.iter().all(|member| member.name.is_ascii()) {
            self.members
                .sort_unstable_by(|one, other| one.name.cmp(&other.name));
        } else {
            self.members
                .sort_by(|one, other| one.name.encode_utf16().cmp(other.name.encode_utf16()));
        }
        if self
            .members
            .windows(2)
            .any(|pair| pair[0].name == pair[1].name)
        {
            return Err(NotCanonical::Unwritable);
        }
        let values = self.writer.out.split_off(self.start);
        self.writer.out.push(b'{');
        for (at, member) in self.members.iter().enumerate() {
            if at > 0 {
                self.writer.out.push(b',');
            }
            self.writer.put_string(&member.name)?;
            self.writer.out.push(b':');
            self.writer
                .out
                .extend_from_slice(&values[member.from..member.to]);
        }
        self.writer.out.push(b'}');
        if self.variant {
            self.writer.out.push(b'}');
        }
        Ok(())
    }
}

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotCanonical> {
        self.name = Some(key.serialize(Name)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        let name = self.name.take().ok_or(NotCanonical::Unwritable)?;
        self.member(name.into(), value)
    }

    fn end(self) -> Result<(), NotCanonical> {
        self.finish()
    }
}

macro_rules! struct_like {
    ($($kind:ident),+) => {$(
        impl $kind for Object<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), NotCanonical> {
                self.member(key.into(), value)
            }

            fn end(self) -> Result<(), NotCanonical> {
                self.finish()
            }
        }
    )+};
}
struct_like!(SerializeStruct, SerializeStructVariant);

pub(super) struct Array<'a> {
    writer: &'a mut Writer,
    first: bool,
    variant: bool,
}

impl Array<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        if !std::mem::take(&mut self.first) {
            self.writer.out.push(b',');
        }
        value.serialize(&mut *self.writer)
    }

    fn finish(self) -> Result<(), NotCanonical> {
        self.writer.put(if self.variant { "]}" } else { "]" })
    }
}

macro_rules! array_like {
    ($($kind:ident $method:ident),+) => {$(
        impl $kind for Array<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
                self.item(value)
            }

            fn end(self) -> Result<(), NotCanonical> {
                self.finish()
            }
        }
    )+};
}
array_like!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

macro_rules! integers {
    ($($method:ident $kind:ty),+) => {$(
        fn $method(self, value: $kind) -> Result<(), NotCanonical> {
            let size = i128::from(value).unsigned_abs();
            if size > u128::from(LARGEST) {
                return Err(NotCanonical::Number);
            }
            write!(self.out, "{value}").map_err(|_| NotCanonical::Unwritable)
        }
    )+};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = NotCanonical;
    type SerializeSeq = Array<'a>;
    type SerializeTuple = Array<'a>;
    type SerializeTupleStruct = Array<'a>;
    type SerializeTupleVariant = Array<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    integers!(
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64
    );

    fn serialize_bool(self, value: bool) -> Result<(), NotCanonical> {
        self.put(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, _: f32) -> Result<(), NotCanonical> {
        Err(NotCanonical::Number)
    }

    fn serialize_f64(self, _: f64) -> Result<(), NotCanonical> {
        Err(NotCanonical::Number)
    }

    fn serialize_char(self, value: char) -> Result<(), NotCanonical> {
        self.put_string(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), NotCanonical> {
        self.put_string(value)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_none(self) -> Result<(), NotCanonical> {
        self.put("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotCanonical> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NotCanonical> {
        self.put("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NotCanonical> {
        self.put("null")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), NotCanonical> {
        self.put_string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotCanonical> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotCanonical> {
        self.begin_variant(variant)?;
        value.serialize(&mut *self)?;
        self.put("}")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'a>, NotCanonical> {
        Ok(self.array())
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'a>, NotCanonical> {
        Ok(self.array())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'a>, NotCanonical> {
        Ok(self.array())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Array<'a>, NotCanonical> {
        self.begin_variant(variant)?;
        let mut array = self.array();
        array.variant = true;
        Ok(array)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'a>, NotCanonical> {
        Ok(self.object())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'a>, NotCanonical> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'a>, NotCanonical> {
        self.begin_variant(variant)?;
        let mut object = self.object();
        object.variant = true;
        Ok(object)
    }
}

/// Reads the name of a member, which must be a text.
struct Name;

macro_rules! no_names {
    ($($method:ident $kind:ty),+) => {$(
        fn $method(self, _: $kind) -> Result<String, NotCanonical> {
            Err(NotCanonical::Unwritable)
        }
    )+};
}

impl Serializer for Name {
    type Ok = String;
    type Error = NotCanonical;
    type SerializeSeq = Impossible<String, NotCanonical>;
    type SerializeTuple = Impossible<String, NotCanonical>;
    type SerializeTupleStruct = Impossible<String, NotCanonical>;
    type SerializeTupleVariant = Impossible<String, NotCanonical>;
    type SerializeMap = Impossible<String, NotCanonical>;
    type SerializeStruct = Impossible<String, NotCanonical>;
    type SerializeStructVariant = Impossible<String, NotCanonical>;

    no_names!(
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_f32 f32,
        serialize_f64 f64, serialize_char char, serialize_bytes &[u8]
    );

    fn serialize_str(self, value: &str) -> Result<String, NotCanonical> {
        Ok(value.to_owned())
    }

    fn serialize_none(self) -> Result<String, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<String, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_unit(self) -> Result<String, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<String, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<String, NotCanonical> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<String, NotCanonical> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NotCanonical> {
        Err(NotCanonical::Unwritable)
    }
}
