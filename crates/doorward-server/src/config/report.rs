use std::ops::Range;

use super::{
    document::{Document, KeyPath},
    mistake::{Mistake, Severity},
};

/// Gathers mistakes, at most one for each key: the first, which is the cause of the others.
pub(super) struct Report<'d, 'a> {
    pub(super) document: &'d Document<'a>,
    mistakes: Vec<(KeyPath, Range<usize>, Mistake)>,
}

impl<'d, 'a> Report<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>) -> Self {
        Self { document, mistakes: Vec::new() }
    }

    /// Something that keeps the configuration from being used; underlines the value.
    pub(super) fn error(&mut self, path: &KeyPath, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, path, self.document.span(path), message, hint);
    }

    /// Something that should be known; underlines the value.
    pub(super) fn warning(&mut self, path: &KeyPath, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Warning, path, self.document.span(path), message, hint);
    }

    /// An error about the key itself.
    pub(super) fn error_at_key(&mut self, path: &KeyPath, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Severity::Error, path, self.document.key_span(path), message, hint);
    }

    /// An error at a place of its own.
    pub(super) fn error_at(
        &mut self,
        path: &KeyPath,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Error, path, span, message, hint);
    }

    fn add(
        &mut self,
        severity: Severity,
        path: &KeyPath,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if severity == Severity::Error
            && self.mistakes.iter().any(|(told, _, mistake)| told == path && mistake.is_error())
        {
            return;
        }
        let mistake = self.document.mistake(severity, span.clone(), path.clone(), message, hint);
        self.mistakes.push((path.clone(), span, mistake));
    }

    /// Whether something is wrong with this key or one below it.
    pub(super) fn has_error_within(&self, path: &KeyPath) -> bool {
        self.mistakes.iter().any(|(told, _, mistake)| mistake.is_error() && told.is_within(path))
    }

    /// All of them, in the order in which they stand in the file.
    pub(super) fn into_mistakes(mut self) -> Vec<Mistake> {
        self.mistakes.sort_by_key(|(_, span, mistake)| (span.start, mistake.severity));
        self.mistakes.into_iter().map(|(_, _, mistake)| mistake).collect()
    }
}
