//! What a file may at most ask of us.

/// The longest cell in bytes. A spreadsheet's own limit is 32,767 UTF-16 units, which are 98,301 bytes at most.
pub const CELL_BYTES: usize = 128 * 1_024;
/// The longest row in bytes.
pub const ROW_BYTES: usize = 1_024 * 1_024;
/// The most columns; a spreadsheet allows 16,384, which nobody's contacts have.
pub const COLUMNS: usize = 2_048;

/// Rows and columns of a sheet, as its format has them (ECMA-376, part 1, section 18.3.1.73).
pub const SHEET_ROWS: u64 = 1_048_576;
pub const SHEET_COLUMNS: usize = 16_384;
/// Files within a workbook, and the bytes of their list.
pub const PARTS: usize = 10_000;
pub const DIRECTORY_BYTES: u64 = 4 * 1_024 * 1_024;
/// One piece of XML between two tags.
pub const XML_PIECE_BYTES: u64 = 1_024 * 1_024;
pub const XML_DEPTH: usize = 64;
/// A part of a workbook as it unpacks. Sheets repeat themselves and shrink to a tenth or a thirtieth; a part that grows two
/// hundredfold was made to harm.
pub const PART_BYTES: u64 = 4 * 1_024 * 1_024 * 1_024;
pub const PART_RATIO: u64 = 200;
/// Below this many bytes no ratio is looked at.
pub const RATIO_FROM: u64 = 16 * 1_024 * 1_024;
/// Of the texts that the cells of a workbook share, the first bytes are held in memory; the others lie in a temporary file, up to
/// so many bytes in all. Where each begins is held in memory, four bytes for each: 32 MB at most. A sheet of a million rows has
/// room for eight columns in which no two cells are alike.
pub const SHARED_IN_MEMORY: usize = 8 * 1_024 * 1_024;
pub const SHARED_BYTES: usize = 1_024 * 1_024 * 1_024;
pub const SHARED_TEXTS: usize = 8 * 1_024 * 1_024 + 1_024;
pub const SHEETS: usize = 1_000;
pub const STYLES: usize = 65_536;
