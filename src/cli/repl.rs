//! `tenure repl`: a prompt. Each input is checked and run in one session; nothing that goes wrong in one ends it.

use super::args::ReplArgs;
use super::heap::usage_error;
use super::line::{Entry, Lines};
use super::output;
use super::report;
use super::report::Status;
use super::run::{engine, on_script_stack};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tenure::{Session, SessionError, read_source};

/// Characters of a value that are shown.
const SHOWN_MAX: usize = 4000;

const HELP: &str = "\
Write declarations, statements or expressions; the value of the last expression is shown with its type.
A later declaration of a name hides the earlier one. Open brackets go on in the next line.
  :type EXPR   the type of an expression, which is not run
  :doc NAME    what is said of a name: print, List.push, math.sqrt
  :time INPUT  runs an input and says how long that took
  :load FILE   runs a file as one input
  :gc          collects, and says what the collector has done so far
  :help        this
  :quit        ends, as Ctrl-D does; Ctrl-C stops what runs
";

/// Does it.
pub fn main(args: &ReplArgs) -> Status {
    let gc = args.heap.gc();
    on_script_stack(|| {
        let session = Session::new(&engine(), Vec::new(), true, |instance| {
            let instance = instance.stdout(Box::new(output::ScriptOutput::stdout())).args(Vec::<String>::new());
            args.heap.apply(gc, instance).unwrap_or_else(|line| usage_error(&line))
        });
        match session {
            Ok(session) => Prompt::new(session, args).run(),
            Err(error) => report::failure(&error.to_string()),
        }
    })
}

struct Prompt {
    /// Shared with what completes names while a line is edited.
    session: Arc<Mutex<Session>>,
    color: bool,
    terminal: bool,
}

impl Prompt {
    fn new(session: Session, args: &ReplArgs) -> Prompt {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let mut session = session;
        let handle = session.vm().interrupt_handle();
        if let Err(error) = ctrlc::set_handler(move || handle.interrupt()) {
            report::warning(&format!("Ctrl-C ends the process: {error}"), false);
        }
        Prompt { session: Arc::new(Mutex::new(session)), color: args.color.on_stderr(), terminal }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) -> Status {
        if self.terminal {
            self.print(&format!("Tenure {}, :help for help\n", env!("CARGO_PKG_VERSION")));
        }
        let mut lines = Lines::new(Arc::clone(&self.session), self.terminal, self.color);
        loop {
            match lines.next() {
                Entry::Text(text) => {
                    if !self.enter(&text) {
                        return Status::Success;
                    }
                }
                Entry::Dropped => {}
                Entry::End => return Status::Success,
                Entry::Broken(line) => return report::failure(&line),
            }
        }
    }

    /// Does what an input says; false if that is to end.
    fn enter(&self, text: &str) -> bool {
        let Some(command) = text.trim().strip_prefix(':') else {
            self.eval(text);
            return true;
        };
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match (word, rest.is_empty()) {
            ("quit" | "q", true) => return false,
            ("help" | "h", true) => self.print(HELP),
            ("type" | "t", false) => match self.session().type_of(rest) {
                Ok(ty) => self.print(&format!("{}\n", ty.as_deref().unwrap_or("()"))),
                Err(found) => report::say(&found.render(self.color)),
            },
            ("doc" | "d", false) => {
                let page = self.session().doc(rest);
                match page {
                    Some(page) => self.print(&format!("{page}\n")),
                    None => self.wrong(&format!("nothing is known of `{rest}`")),
                }
            }
            ("time", false) => {
                let start = Instant::now();
                self.eval(rest);
                self.print(&format!("took {:.1?}\n", start.elapsed()));
            }
            ("load" | "l", false) => match read_source(rest.as_ref()) {
                Ok(text) => self.eval(&text),
                Err(line) => self.wrong(&line),
            },
            ("gc", true) => self.collect(),
            ("type" | "doc" | "time" | "load", true) => self.wrong(&format!(":{word} needs something behind it")),
            _ => self.wrong(&format!("there is no command `:{word}`; :help lists them")),
        }
        true
    }

    fn eval(&self, text: &str) {
        let ended = self.session().eval(text);
        match ended {
            Ok(None) => {}
            Ok(Some(shown)) => {
                let mut value = shown.value;
                if let Some((cut, _)) = value.char_indices().nth(SHOWN_MAX) {
                    value.truncate(cut);
                    value.push('…');
                }
                self.print(&format!("{value} : {}\n", shown.ty));
            }
            Err(SessionError::Source(found)) => report::say(&found.render(self.color)),
            Err(SessionError::Script(error)) => {
                let _ = report::script_error(&error, self.color);
            }
            Err(SessionError::Full(error)) => self.wrong(&error.to_string()),
        }
    }

    fn collect(&self) {
        let mut session = self.session();
        let mut collector = session.vm().gc();
        collector.collect();
        let stats = collector.stats();
        let text = format!(
            "{} pauses, {:.1} ms in all, {:.1} ms the longest; policy {}\n",
            stats.pauses(),
            stats.pause_ns_total as f64 / 1e6,
            stats.pause_ns_max as f64 / 1e6,
            collector.policy_name()
        );
        drop(session);
        self.print(&text);
    }

    fn wrong(&self, line: &str) {
        let _ = report::failure(line);
    }

    fn print(&self, text: &str) {
        if let Err(error) = output::print(text) {
            self.wrong(&format!("can't write to standard output: {error}"));
        }
    }
}
