// Numbers and counted things as people read them.

/// A number in groups of three digits: `1,234,567`.
package func grouped(_ number: some BinaryInteger) -> String {
    var digits = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
        if index > 0, index % 3 == 0 { digits = "," + digits }
        digits = String(digit) + digits
    }
    return (number < 0 ? "-" : "") + digits
}

/// A number with its noun: `1 change`, `12,345 changes`.
package func counted(_ number: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}
