// Text that comes from outside on its way into a statement.

/// A text with U+0000. Bound to a statement it would end there, and be another text.
package struct TextWithNUL: Error, Equatable, CustomStringConvertible {
    /// What the text is, as "the name of tenant 'acme'".
    package let what: String

    package var description: String { "\(what) has the character U+0000, which can't be stored; leave it out" }
}

/// The text, if it can be bound to a statement as it is. Whoever binds text that people or programs chose asks here,
/// unless the text's own rules leave out control characters, as those of codes and of events do.
///
/// - Throws: ``TextWithNUL``.
package func bindable(_ text: String, as what: @autoclosure () -> String) throws(TextWithNUL) -> String {
    guard !text.utf8.contains(0) else { throw TextWithNUL(what: what()) }
    return text
}
