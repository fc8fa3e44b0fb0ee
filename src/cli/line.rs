//! Where a prompt's inputs come from: an editor on a terminal, plain lines elsewhere.

use reedline::{
    ColumnarMenu, Completer, CompletionResult, Emacs, FileBackedHistory, Highlighter, KeyCode, KeyModifiers,
    MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, Span,
    StyledText, Suggestion, ValidationResult, Validator, default_emacs_keybindings,
};
use std::borrow::Cow;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tenure::{Class, Session, classify, is_incomplete};

/// Inputs that the history keeps.
const HISTORY_MAX: usize = 5000;
const MENU: &str = "completion";
const COMMANDS: [&str; 7] = [":type", ":doc", ":time", ":load", ":gc", ":help", ":quit"];

/// What came in.
pub enum Entry {
    /// A whole input.
    Text(String),
    /// It was given up.
    Dropped,
    /// There is no more.
    End,
    /// The terminal fails.
    Broken(String),
}

/// Inputs, one after the other.
pub enum Lines {
    Editor(Box<Reedline>),
    Plain,
}

impl Lines {
    pub fn new(session: Arc<Mutex<Session>>, terminal: bool, color: bool) -> Lines {
        if !terminal {
            return Lines::Plain;
        }
        let mut keys = default_emacs_keybindings();
        let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.into()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
        let mut editor = Reedline::create()
            .with_validator(Box::new(Whole))
            .with_completer(Box::new(Names(session)))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU))))
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_ansi_colors(color);
        if color {
            editor = editor.with_highlighter(Box::new(Colors));
        }
        // without a place for it, the history lasts as long as the prompt
        if let Some(history) = history_file().and_then(|file| FileBackedHistory::with_file(HISTORY_MAX, file).ok()) {
            editor = editor.with_history(Box::new(history));
        }
        Lines::Editor(Box::new(editor))
    }

    /// The next input.
    pub fn next(&mut self) -> Entry {
        match self {
            Lines::Plain => plain(),
            Lines::Editor(editor) => match editor.read_line(&Marks) {
                Ok(Signal::Success(text)) => Entry::Text(text),
                Ok(Signal::CtrlD) => Entry::End,
                Ok(_) => Entry::Dropped,
                Err(error) => Entry::Broken(format!("the terminal can't be read: {error}")),
            },
        }
    }
}

/// Lines of standard input, until they make a whole input.
fn plain() -> Entry {
    let mut text = String::new();
    loop {
        match std::io::stdin().lock().read_line(&mut text) {
            Ok(0) if text.trim().is_empty() => return Entry::End,
            Ok(0) => return Entry::Text(text),
            Ok(_) if wants_more(&text) => {}
            Ok(_) => return Entry::Text(text),
            Err(error) => return Entry::Broken(format!("can't read standard input: {error}")),
        }
    }
}

fn wants_more(text: &str) -> bool {
    !text.trim_start().starts_with(':') && is_incomplete(text)
}

/// `$XDG_STATE_HOME/tenure/history`
fn history_file() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute()).or_else(home)?;
    Some(state.join("tenure").join("history"))
}

/// What stands before the lines of an input.
struct Marks;

impl Prompt for Marks {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("  ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}

/// Whether an input is whole.
struct Whole;

impl Validator for Whole {
    fn validate(&self, text: &str) -> ValidationResult {
        if wants_more(text) { ValidationResult::Incomplete } else { ValidationResult::Complete }
    }
}

/// Colours by the language's own lexer.
struct Colors;

impl Highlighter for Colors {
    fn highlight(&self, text: &str, _: usize) -> StyledText {
        use nu_ansi_term::{Color, Style};
        let mut styled = StyledText::new();
        for (range, class) in classify(text) {
            let style = match class {
                Class::Keyword => Color::Magenta.normal(),
                Class::Type => Color::Cyan.normal(),
                Class::Literal => Color::Yellow.normal(),
                Class::Text => Color::Green.normal(),
                Class::Comment => Color::DarkGray.normal(),
                Class::Attribute => Color::Blue.normal(),
                Class::Plain => Style::new(),
            };
            styled.push((style, text[range].to_owned()));
        }
        styled
    }
}

/// Names of the session, and commands.
struct Names(Arc<Mutex<Session>>);

impl Completer for Names {
    fn complete(&mut self, text: &str, at: usize) -> CompletionResult {
        let (range, values) = if text.starts_with(':') && !text[..at].contains(char::is_whitespace) {
            let known = COMMANDS.iter().filter(|c| c.starts_with(&text[..at])).map(|&c| c.to_owned());
            (0..at, known.collect())
        } else {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).complete(text, at)
        };
        let span = Span { start: range.start, end: range.end };
        let suggestion = |value| Suggestion { value, span, ..Suggestion::default() };
        CompletionResult::fresh(values.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}
