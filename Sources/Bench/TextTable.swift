// Lays out a table of text: columns as wide as their widest cell, numbers to the right.

/// Rows of cells below headings; a section is a line of its own.
package struct TextTable {
    package enum Line: Equatable {
        case section(String)
        case cells([String])
    }

    /// The first column is flush left, the others are flush right.
    package let headings: [String]
    package var lines: [Line] = []

    package init(headings: [String]) { self.headings = headings }

    package var text: String {
        var widths = headings.map(\.count)
        for case .cells(let cells) in lines {
            for (column, cell) in cells.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        var rows = [row(headings, widths), widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")]
        for line in lines {
            switch line {
            case .section(let title): rows += ["", title]
            case .cells(let cells): rows.append(row(cells, widths))
            }
        }
        return rows.map { $0 + "\n" }.joined()
    }

    private func row(_ cells: [String], _ widths: [Int]) -> String {
        var row = ""
        for (column, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[column] - cell.count)
            row += column == 0 ? cell + padding : "  " + padding + cell
        }
        // No blanks at the end of a line.
        return String(row.reversed().drop { $0 == " " }.reversed())
    }
}
