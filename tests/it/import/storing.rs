//! Taking a list in: what is stored, that nothing is there twice, and taking it back.

use std::path::Path;

use countersign::app::import::report::Report;
use countersign::app::import::tally::{Counts, Tally};
use countersign::app::import::{Begun, Import, ImportProblem, NewImport, Problem, WithdrawProblem};
use countersign::domain::brand::Slug;
use countersign::domain::campaign::Kind;
use countersign::domain::email_address::AddressRules;
use countersign::domain::event::{Fact, Grade};
use countersign::domain::policy::{Rule, Source, Zone};
use countersign::domain::standing::Basis;
use countersign::intake::candidate::{Batch, Reading};
use countersign::intake::header::Columns;
use countersign::store::Engine;

use super::File;
use super::command::{complaint, data, tried};
use crate::harness::{Folder, World, dying_at};
use crate::on_both_engines;

/// A list for the newsletter of acme.
pub struct List<'a> {
    pub name: &'a str,
    pub text: &'a str,
    pub source: Option<Source>,
}

impl List<'_> {
    pub const fn bought<'a>(name: &'a str, text: &'a str) -> List<'a> {
        List {
            name,
            text,
            source: Some(Source::Purchase),
        }
    }

    pub async fn begin(&self, world: &World) -> Result<Begun, ImportProblem> {
        with(world, async |import| {
            let new = NewImport {
                name: self.name.to_owned(),
                file_name: "people.csv".to_owned(),
                file_sha256: [u8::try_from(self.text.len() % 256).unwrap(); 32],
                reading: serde_json::json!({ "source": self.source }),
                proofs: Vec::new(),
            };
            world.app.begin_import(import, new).await
        })
        .await
    }

    pub async fn go_on(
        &self,
        world: &World,
        begun: Begun,
        report: Option<&Path>,
    ) -> (Tally, Result<String, Problem>) {
        let file = File::of(self.text.as_bytes());
        let mut rows = file.open();
        let header = rows.header().unwrap();
        let reading = Reading {
            columns: Columns::of(&header.cells, &[], self.source).unwrap(),
            batch: Batch {
                source: self.source,
                ..Batch::default()
            },
            order: None,
            zone: Zone::default(),
            rules: AddressRules { any_domain: true },
            proofs: None,
        };
        with(world, async |import| {
            world
                .app
                .run_import(import, begun, (rows, reading), report, |_| ())
                .await
        })
        .await
    }

    /// Takes it in as a whole.
    pub async fn take_in(&self, world: &World) -> Counts {
        let begun = self.begin(world).await.unwrap();
        let (tally, ended) = self.go_on(world, begun, None).await;
        ended.unwrap();
        tally.counts
    }
}

pub async fn with<R>(world: &World, run: impl AsyncFnOnce(&Import<'_>) -> R) -> R {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let purpose = Slug::try_from("newsletter".to_owned()).unwrap();
    let import = Import {
        brand,
        purpose: &purpose,
        terms: world.app.terms(brand),
        language: "en",
    };
    run(&import).await
}

pub async fn withdraw(world: &World, name: &str) -> Result<(u64, u64), WithdrawProblem> {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let done = world.app.withdraw_import(brand, name).await?;
    Ok((done.contacts, done.left_without))
}

/// All findings of `verify --log --rebuild-check`.
pub async fn findings(world: &World) -> Vec<String> {
    world.app.sequence().await.unwrap();
    world.app.audit(true, |_, _| ()).await.unwrap().findings
}

on_both_engines! {
    async fn an_import_keeps_who_may_be_kept_and_nothing_of_who_is_refused(engine: Engine) {
        let world = World::on(engine).await;
        let list = "email,name,source,date,order,employer,benefit\n\
            buyer@example.org,Bea,purchase,2026-01-05,77,,,\n\
            kim@example.org,,employer_list,2026-10-01,,Mill Ltd,bicycles\n\
            bought@example.org,,bought_or_rented_list,,,,\ninfo@example.org,,purchase,2026-01-05,78,,\n\
            nonsense,,,,,,\n";
        let (_folder, output) = tried(&world, list.as_bytes(), &["--json"]).await;
        let found = data(&output);
        assert_eq!((&found["import"], &found["dry_run"]), (&"people".into(), &false.into()));
        assert_eq!((&found["new"], &found["rows"], &found["broken"]), (&2.into(), &5.into(), &1.into()), "{found}");
        let buyer = world.permission("buyer@example.org", "newsletter").await;
        assert_eq!((buyer.allowed, buyer.basis, buyer.rule), (true, Basis::Implicit, "A2"));
        assert_eq!(buyer.until.unwrap().to_string(), "2028-01-05T00:00:00.000000Z");
        assert!(buyer.why.starts_with("Imported at "), "{}", buyer.why);
        let staff = world.permission("kim@example.org", "newsletter").await;
        assert_eq!((staff.allowed, staff.basis, staff.rule), (false, Basis::None, "O3"));
        assert!(!world.permission("buyer@example.org", "events").await.allowed);
        for refused in ["bought@example.org", "info@example.org"] {
            assert!(world.story(refused).await.is_empty(), "{refused}");
        }
        let story = world.story("buyer@example.org").await;
        let Fact::Imported(import) = &story[0].fact else { panic!("{story:?}") };
        assert_eq!((import.line, import.name.as_deref(), import.judgement.rule), (2, Some("Bea"), Rule::A2));
        assert!(world.caught().is_empty());
        world.finish().await;
    }

    async fn an_import_that_dies_at_any_moment_goes_on_and_doubles_nothing(engine: Engine) {
        let world = World::on(engine).await;
        let mut text = "email,order,date\n".to_owned();
        for at in 0..3_300 {
            let end = if at % 97 == 0 { "nonsense" } else { "example.org" };
            text.push_str(&format!("p{}@{end},{at},2026-01-01\n", at % 3_200));
        }
        let list = List::bought("spring", &text);
        let folder = Folder::new();
        let report = folder.0.join("report.csv");
        let mut waits = 0;
        let counts = loop {
            // It may die when all is written and nobody has heard of it.
            let begun = match list.begin(&world).await {
                Err(ImportProblem::Done(_)) => {
                    let catalog = world.app.catalog();
                    let brand = catalog.brand_by_slug("acme").unwrap();
                    break Counts::read(&world.app.imports(brand).await.unwrap()[0].counts);
                }
                begun => begun.unwrap(),
            };
            assert_eq!(begun.resumed, waits > 0);
            match dying_at(waits, list.go_on(&world, begun, Some(&report))).await {
                // What the dead one had handed to the writer may be written after this one looked where to go on.
                None | Some((_, Err(Problem::Elsewhere))) => waits += 1,
                Some((tally, ended)) => {
                    ended.unwrap();
                    break tally.counts;
                }
            }
            assert!(waits < 2_000, "it never ends");
        };
        assert!(waits > 5, "it was never interrupted");
        assert_eq!(counts.rows(), 3_300);
        let written = std::fs::read_to_string(&report).unwrap();
        let fresh = World::on(engine).await;
        let whole = folder.0.join("whole.csv");
        let begun = list.begin(&fresh).await.unwrap();
        let (tally, ended) = list.go_on(&fresh, begun, Some(&whole)).await;
        ended.unwrap();
        assert_eq!(tally.counts, counts);
        assert_eq!(std::fs::read_to_string(&whole).unwrap(), written);
        for at in [0, 1, 199, 200, 1_023, 1_024, 1_100, 3_199] {
            let address = format!("p{at}@example.org");
            assert_eq!(world.kinds(&address).await, fresh.kinds(&address).await, "{address}");
        }
        assert_eq!(findings(&world).await, Vec::<String>::new());
        assert!(matches!(list.begin(&world).await, Err(ImportProblem::Done(_))));
        fresh.finish().await;
        world.finish().await;
    }

    async fn two_processes_do_not_go_on_with_one_import(engine: Engine) {
        let world = World::on(engine).await;
        let list = List::bought("spring", "email,order,date\na@example.org,1,2026-01-01\n");
        let (one, two) = (list.begin(&world).await.unwrap(), list.begin(&world).await.unwrap());
        list.go_on(&world, one, None).await.1.unwrap();
        let ended = list.go_on(&world, two, None).await.1;
        assert!(matches!(ended, Err(Problem::Elsewhere)), "{ended:?}");
        assert_eq!(world.kinds("a@example.org").await, ["imported"]);
        world.finish().await;
    }

    async fn a_name_that_is_taken_by_another_file_is_refused(engine: Engine) {
        let world = World::on(engine).await;
        let list = List::bought("spring", "email,order,date\na@example.org,1,2026-01-01\n");
        list.begin(&world).await.unwrap();
        let other = List::bought("spring", "email,order,date\nb@example.org,1,2026-01-01,\n");
        let problem = other.begin(&world).await.unwrap_err().to_string();
        assert!(problem.contains("another file") && problem.contains("--name"), "{problem}");
        let asked = List { source: Some(Source::DirectEmail), ..list };
        let problem = asked.begin(&world).await.unwrap_err().to_string();
        assert!(problem.contains("other arguments"), "{problem}");
        world.finish().await;
    }

    async fn a_second_source_with_its_own_proof_opens_what_the_first_left_closed(engine: Engine) {
        let world = World::on(engine).await;
        let staff = "email,employer,benefit,date\na@example.org,Mill Ltd,bicycles,2026-10-01\n";
        let list = List { name: "staff", text: staff, source: Some(Source::EmployerList) };
        assert_eq!(list.take_in(&world).await.new, 1);
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        let orders = List::bought("orders", "email,order,date\na@example.org,1,2026-10-01\n");
        let counts = orders.take_in(&world).await;
        assert_eq!((counts.new, counts.added, counts.unchanged), (0, 1, 0));
        let may = world.permission("a@example.org", "newsletter").await;
        assert_eq!((may.allowed, may.rule), (true, "A2"));
        let again = List { name: "orders again", ..orders };
        let counts = again.take_in(&world).await;
        assert_eq!((counts.new, counts.added, counts.unchanged), (0, 0, 1));
        // An older act ends earlier: it moves nothing, and is kept as one more source.
        let older = List::bought("older", "email,order,date\na@example.org,0,2025-10-01\n");
        assert_eq!(older.take_in(&world).await.added, 1);
        let may = world.permission("a@example.org", "newsletter").await;
        assert_eq!(may.until.unwrap().to_string(), "2028-10-01T00:00:00.000000Z");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn an_import_lowers_nobody_and_reopens_nothing(engine: Engine) {
        let world = World::on(engine).await;
        let confirmed = confirm(&world, "yes@example.org").await;
        assert_eq!(confirmed, Some(Grade::LinkButton));
        world.signed_up("no@example.org", "203.0.113.9").await;
        let mail = world.mail_to("no@example.org").await;
        world.client("203.0.113.9").post(&mail.decline(), &[]).await;
        let text = "email,employer,benefit,date\nyes@example.org,Mill Ltd,bicycles,2026-10-01\n\
            no@example.org,Mill Ltd,bicycles,2026-10-01\n";
        let list = List { name: "staff", text, source: Some(Source::EmployerList) };
        let counts = list.take_in(&world).await;
        assert_eq!((counts.new, counts.added), (0, 1));
        let yes = world.permission("yes@example.org", "newsletter").await;
        assert_eq!((yes.basis, yes.grade), (Basis::Explicit, Some(Grade::LinkButton)));
        assert!(!world.permission("no@example.org", "newsletter").await.allowed);
        assert_eq!(world.kinds("no@example.org").await.last(), Some(&"declined"));
        world.finish().await;
    }

    async fn an_erased_address_is_not_brought_back(engine: Engine) {
        let world = World::on(engine).await;
        let list = List::bought("spring", "email,order,date\na@example.org,1,2026-01-01\n");
        list.take_in(&world).await;
        let catalog = world.app.catalog();
        let wish = countersign::app::erase::Wish {
            by: countersign::domain::event::ErasedBy::Operator,
            through: countersign::domain::event::Through::CommandLine,
        };
        world.app.erase(catalog.brand_by_slug("acme").unwrap(), "a@example.org", wish).await.unwrap();
        let again = List { name: "again", ..list };
        let counts = again.take_in(&world).await;
        assert_eq!((counts.new, counts.verdicts[&countersign::domain::policy::Verdict::Refuse][&Rule::D3]), (0, 1));
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_confirmation_made_elsewhere_is_kept_as_that_system_s_word(engine: Engine) {
        let world = World::on(engine).await;
        let text = "Email Address,date,order,OPTIN_TIME,CONFIRM_TIME,CONFIRM_IP\n\
            a@example.org,2026-01-01,1,2026-01-02 10:00:00,2026-01-02 10:05:00,203.0.113.5\n\
            b@example.org,2026-01-01,2,2026-01-02 10:00:00,,\n\
            c@example.org,2026-01-01,3,,2099-01-01 00:00:00,\n\
            d@example.org,,,,2026-01-02 10:05:00,203.0.113.5\n";
        List::bought("mailchimp", text).take_in(&world).await;
        let a = world.permission("a@example.org", "newsletter").await;
        assert_eq!((a.allowed, a.basis, a.grade), (true, Basis::Explicit, Some(Grade::ApiClaim)));
        assert!(a.why.contains("nobody confirmed it here"), "{}", a.why);
        for not in ["b@example.org", "c@example.org"] {
            let found = world.permission(not, "newsletter").await;
            assert_eq!((found.basis, found.grade), (Basis::Implicit, None), "{not}");
        }
        // Without the proof of a source the claim of a confirmation opens nothing.
        assert!(!world.permission("d@example.org", "newsletter").await.allowed);
        // A confirmation of our own takes its place.
        assert_eq!(confirm(&world, "a@example.org").await, Some(Grade::LinkButton));
        world.finish().await;
    }

    async fn an_import_that_is_taken_back_leaves_everybody_as_without_it(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("own@example.org", "203.0.113.3").await;
        world.deliver().await;
        let orders = "email,order,date\nown@example.org,1,2026-01-01\nalone@example.org,2,2026-01-01\n\
            twice@example.org,3,2026-01-01\nlater@example.org,4,2026-01-01\n";
        List::bought("first", "email,order,date\ntwice@example.org,9,2025-01-01\n").take_in(&world).await;
        let list = List::bought("wrong", orders);
        list.take_in(&world).await;
        confirm(&world, "later@example.org").await;
        assert_eq!(withdraw(&world, "wrong").await.unwrap(), (4, 1));
        let own = world.permission("own@example.org", "newsletter").await;
        assert_eq!((own.allowed, own.rule), (true, "A1"));
        assert!(!world.permission("alone@example.org", "newsletter").await.allowed);
        let twice = world.permission("twice@example.org", "newsletter").await;
        assert_eq!(twice.until.unwrap().to_string(), "2027-01-01T00:00:00.000000Z");
        assert_eq!(world.permission("later@example.org", "newsletter").await.basis, Basis::Explicit);
        assert!(matches!(withdraw(&world, "wrong").await, Err(WithdrawProblem::Already(_))));
        assert!(matches!(withdraw(&world, "other").await, Err(WithdrawProblem::Unknown(_))));
        assert!(matches!(list.begin(&world).await, Err(ImportProblem::Withdrawn(_))));
        // What was taken back is no source of a later judgement, and does not keep the list from coming properly.
        let right = List { name: "right", ..list };
        assert_eq!(right.take_in(&world).await.added, 4);
        assert!(world.permission("alone@example.org", "newsletter").await.allowed);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn of_two_imports_that_are_taken_back_neither_leaves_anything(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("one", "email,order,date\na@example.org,1,2026-01-01\n").take_in(&world).await;
        List::bought("two", "email,order,date\na@example.org,2,2026-02-01\n").take_in(&world).await;
        withdraw(&world, "two").await.unwrap();
        assert!(world.permission("a@example.org", "newsletter").await.allowed);
        withdraw(&world, "one").await.unwrap();
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_list_that_rested_on_another_one_gives_nothing_when_that_is_taken_back(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\nb@example.org,2,2026-01-01\n").take_in(&world).await;
        // By themselves the first row has to be confirmed first, and the second accepts.
        let staff = "email,employer,benefit,source,order,date\na@example.org,Mill Ltd,bicycles,employer_list,,2026-10-01\n\
            b@example.org,,,purchase,3,2026-02-01\n";
        assert_eq!(List { name: "staff", text: staff, source: None }.take_in(&world).await.added, 2);
        assert!(world.permission("a@example.org", "newsletter").await.allowed);
        withdraw(&world, "orders").await.unwrap();
        let a = world.permission("a@example.org", "newsletter").await;
        assert_eq!((a.allowed, a.basis), (false, Basis::None), "{}", a.why);
        let b = world.permission("b@example.org", "newsletter").await;
        assert_eq!(b.until.unwrap().to_string(), "2028-02-01T00:00:00.000000Z");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn another_list_without_an_act_of_its_own_does_not_bring_back_what_ended(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\n").take_in(&world).await;
        let mut asked = crate::campaign::plan(countersign::domain::campaign::Kind::Reconfirmation);
        asked.lapse_unanswered_at = Some(countersign::domain::time::Timestamp::parse("2027-01-15").unwrap());
        crate::campaign::begin(&world, "again", asked).await.unwrap();
        crate::campaign::work(&world).await;
        world.advance(60 * 86_400);
        crate::campaign::work(&world).await;
        let staff = "email,employer,benefit,date\na@example.org,Mill Ltd,bicycles,2026-10-01\n";
        let staff = List { name: "staff", text: staff, source: Some(Source::EmployerList) };
        assert_eq!(staff.take_in(&world).await.added, 1);
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        // A new act of the person does.
        List::bought("later", "email,order,date\na@example.org,2,2026-12-01\n").take_in(&world).await;
        assert!(world.permission("a@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn a_confirmation_elsewhere_counts_for_the_row_s_own_source_only_and_not_in_a_merger(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\n").take_in(&world).await;
        let rented = "email,CONFIRM_TIME\na@example.org,2026-01-02 10:05:00\n";
        List { name: "rented", text: rented, source: Some(Source::BoughtOrRentedList) }.take_in(&world).await;
        let a = world.permission("a@example.org", "newsletter").await;
        assert_eq!((a.basis, a.grade), (Basis::Implicit, None));
        let merged = "email,document,old_brand,original_source,original_date,notice_sent,CONFIRM_TIME\n\
            b@example.org,Deed 7,Mill Letters,purchase,2026-01-10,2026-05-01,2026-01-11 10:05:00\n";
        List { name: "mill", text: merged, source: Some(Source::MergerOrAcquisition) }.take_in(&world).await;
        // That a notice was sent by other means is the operator's word; our own opens.
        assert!(!world.permission("b@example.org", "newsletter").await.allowed);
        crate::campaign::begin(&world, "merger", crate::campaign::plan(Kind::MergerNotice)).await.unwrap();
        assert_eq!(crate::campaign::work(&world).await, 1);
        let b = world.permission("b@example.org", "newsletter").await;
        assert_eq!((b.allowed, b.basis, b.grade), (true, Basis::Implicit, None));
        world.finish().await;
    }

    async fn the_same_act_told_again_does_not_bring_back_what_ended(engine: Engine) {
        let world = World::on(engine).await;
        let list = List::bought("orders", "email,order,date\na@example.org,1,2026-01-01\n");
        list.take_in(&world).await;
        let mut asked = crate::campaign::plan(countersign::domain::campaign::Kind::Reconfirmation);
        asked.lapse_unanswered_at = Some(countersign::domain::time::Timestamp::parse("2027-01-15").unwrap());
        crate::campaign::begin(&world, "again", asked).await.unwrap();
        crate::campaign::work(&world).await;
        world.advance(60 * 86_400);
        crate::campaign::work(&world).await;
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        let nightly = List { name: "nightly", ..list };
        assert_eq!(nightly.take_in(&world).await.unchanged, 1);
        assert!(!world.permission("a@example.org", "newsletter").await.allowed);
        world.finish().await;
    }

    async fn taking_back_goes_on_after_it_died_at_any_moment(engine: Engine) {
        let world = World::on(engine).await;
        let mut text = "email,order,date\n".to_owned();
        for at in 0..1_200 {
            text.push_str(&format!("p{at}@example.org,{at},2026-01-01\n"));
        }
        List::bought("wrong", &text).take_in(&world).await;
        let mut waits = 0;
        while dying_at(waits, withdraw(&world, "wrong")).await.is_none() {
            waits += 1;
            assert!(waits < 2_000, "it never ends");
        }
        for at in [0, 499, 500, 999, 1_000, 1_199] {
            assert_eq!(world.kinds(&format!("p{at}@example.org")).await, ["imported", "import_withdrawn"], "{at}");
        }
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn imports_are_listed_and_taken_back_on_the_command_line(engine: Engine) {
        let world = World::on(engine).await;
        let list = "email,order,date\na@example.org,1,2026-01-01\n";
        let arguments = ["--source", "purchase", "--name", "the first", "--report", "out.csv"];
        let (folder, output) = tried(&world, list.as_bytes(), &arguments).await;
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(text.contains("Import \"the first\": 1 new, 0 with a further source"), "{text}{}", complaint(&output));
        let said = |verb: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
            command.current_dir(&folder.0).arg("import").args(verb).args(["--brand", "acme", "--json"]);
            data(&command.output().unwrap())
        };
        let listed = said(&["list"]);
        assert_eq!((&listed["name"], &listed["state"], &listed["new"]), (&"the first".into(), &"done".into(), &1.into()));
        assert_eq!(said(&["withdraw", "the first"])["left_without"], 1);
        assert_eq!(said(&["list"])["state"], "withdrawn");
        world.finish().await;
    }
}

/// Signs up, opens the mail in another browser and presses the button; answers with the grade that stands then.
pub async fn confirm(world: &World, email: &str) -> Option<Grade> {
    world.signed_up(email, "203.0.113.8").await;
    let mail = world.mail_to(email).await;
    let mut other = world.client("198.51.100.8");
    other.get(&mail.confirm()).await;
    world.advance(30);
    other.post(&mail.confirm(), &[]).await;
    world.permission(email, "newsletter").await.grade
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_not_written_over_and_not_taken_for_another() {
    let world = World::on(Engine::Sqlite).await;
    let folder = Folder::new();
    let path = folder.0.join("report.csv");
    let list = List::bought("spring", "email,order,date\na@example.org,1,2026-01-01\n");
    // One without any row may have been left by a process that died.
    assert!(Report::create(&path).is_ok() && Report::create(&path).is_ok());
    std::fs::write(
        &path,
        "line,address,verdict,rule,outreach,reason\n2,x@example.org",
    )
    .unwrap();
    let begun = list.begin(&world).await.unwrap();
    let ended = list.go_on(&world, begun, Some(&path)).await.1;
    assert!(matches!(ended, Err(Problem::Report(_))), "{ended:?}");
    assert!(world.story("a@example.org").await.is_empty());
    world.finish().await;
}
