// Numbers as people read them: three digits that matter, and a unit.

import Foundation

package enum Wording {
    /// `1,234,567`; a fraction only of small numbers.
    package static func rate(_ perSecond: Double) -> String {
        perSecond < 10 ? String(format: "%.2f", perSecond) : grouped(perSecond)
    }

    /// `1,234,567`.
    package static func grouped(_ number: Double) -> String {
        var digits = Array(String(Int(number.rounded())))
        var index = digits.count - 3
        while index > (digits.first == "-" ? 1 : 0) {
            digits.insert(",", at: index)
            index -= 3
        }
        return String(digits)
    }

    /// `1 M`, `0.3 M`, `450 k`: a round size in a name.
    package static func size(_ number: Int) -> String {
        let millions = Double(number) / 1e6
        if millions >= 0.1 { return String(format: "%g M", (millions * 100).rounded() / 100) }
        return number >= 1_000 ? String(format: "%g k", Double(number) / 1e3) : String(number)
    }

    /// `12.3 s`, `4.56 ms`, `78 µs`.
    package static func time(seconds: Double) -> String {
        switch abs(seconds) {
        case 100...: String(format: "%.0f s", seconds)
        case 10...: String(format: "%.1f s", seconds)
        case 1...: String(format: "%.2f s", seconds)
        case 0.1...: String(format: "%.0f ms", seconds * 1e3)
        case 0.01...: String(format: "%.1f ms", seconds * 1e3)
        case 0.001...: String(format: "%.2f ms", seconds * 1e3)
        default: String(format: "%.0f µs", seconds * 1e6)
        }
    }

    /// `1.23 GB`, `45 MB`, `678 kB`, in powers of ten.
    package static func bytes(_ bytes: Int) -> String {
        let amount = Double(bytes)
        switch abs(amount) {
        case 1e9...: return String(format: "%.2f GB", amount / 1e9)
        case 1e6...: return String(format: "%.0f MB", amount / 1e6)
        default: return String(format: "%.0f kB", amount / 1e3)
        }
    }

    /// `0.62`, `7.3`, `12`.
    package static func ratio(_ ratio: Double) -> String {
        String(format: ratio < 2 ? "%.2f" : ratio < 10 ? "%.1f" : "%.0f", ratio)
    }
}
