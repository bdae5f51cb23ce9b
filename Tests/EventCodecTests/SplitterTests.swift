// Lines of NDJSON and elements of a batch: where they begin and end, byte for byte.

import EventCodec
import Testing

@Suite("Lines of NDJSON")
struct LineSplitterTests {
    private func split(_ text: String, endsInput: Bool = false) -> (lines: [String], numbers: [Int], rest: String) {
        GuardedText.with(Array(text.utf8)) { buffer in
            var splitter = LineSplitter(buffer, endsInput: endsInput)
            var (lines, numbers): ([String], [Int]) = ([], [])
            while let line = splitter.next() {
                lines.append(String(decoding: line, as: UTF8.self))
                numbers.append(splitter.lineNumber)
            }
            return (lines, numbers, String(decoding: splitter.rest, as: UTF8.self))
        }
    }

    @Test(
        "Complete lines come out, the unfinished one is the rest",
        arguments: [
            ("", [], [], ""),
            ("a", [], [], "a"),
            ("a\n", ["a"], [1], ""),
            ("a\nb", ["a"], [1], "b"),
            ("a\r\nb\n", ["a", "b"], [1, 2], ""),
            ("a\r", [], [], "a\r"),
            ("a\rb\n", ["a\rb"], [1], ""),
            ("a\r\r\n", ["a\r"], [1], ""),
            ("\n\n a\n\r\n \t\nb\n  ", [" a", "b"], [3, 6], "  "),
            ("\n", [], [], ""),
            (
                "0123456\n01234567\n012345678\n0123456789012345678901234567890123456789\nx",
                ["0123456", "01234567", "012345678", "0123456789012345678901234567890123456789"], [1, 2, 3, 4], "x"
            ),
            ("\u{A0A}\u{10A}\n", ["\u{A0A}\u{10A}"], [1], ""),
        ] as [(String, [String], [Int], String)])
    func lines(text: String, lines: [String], numbers: [Int], rest: String) {
        let found = split(text)
        #expect(found.lines == lines)
        #expect(found.numbers == numbers)
        #expect(found.rest == rest)
    }

    @Test("At the end of the input the last line needs no newline")
    func lastPart() {
        #expect(split("a\nb", endsInput: true).lines == ["a", "b"])
        #expect(split("a\nb", endsInput: true).rest == "")
        #expect(split("a\n \t", endsInput: true).lines == ["a"])
        #expect(split("a\r", endsInput: true).lines == ["a\r"])
        #expect(split("", endsInput: true).lines == [])
    }

    @Test("A byte order mark at the beginning of the input is no part of the first line; elsewhere it is")
    func byteOrderMark() {
        #expect(split("\u{FEFF}a\n\u{FEFF}b\n").lines == ["a", "\u{FEFF}b"])
        #expect(split("\u{FEFF}\u{FEFF}a\n").lines == ["\u{FEFF}a"])
        #expect(split("\u{FEFF}", endsInput: true).lines == [])
        // An empty file that begins with one, joined to others.
        #expect(split("a\n\u{FEFF}\u{FEFF} \nb\n").lines == ["a", "b"])
        #expect(split("a\n\u{0}\n").lines == ["a", "\u{0}"])
        GuardedText.with(Array("\u{FEFF}a\n".utf8)) { buffer in
            var later = LineSplitter(buffer, linesBefore: 1)
            #expect(later.next()?.count == 4)
        }
    }

    @Test("Line numbers go on where the part before ended")
    func numbering() {
        GuardedText.with(Array("x\n\ny\n".utf8)) { buffer in
            var splitter = LineSplitter(buffer, linesBefore: 40)
            #expect(splitter.next() != nil)
            #expect(splitter.lineNumber == 41)
            #expect(splitter.next() != nil)
            #expect(splitter.lineNumber == 43)
        }
    }

    @Test("However the input is cut into parts, the lines are the same")
    func anyParts() {
        var numbers = SeededNumbers(seed: 7)
        for _ in 0..<300 {
            let text = (0..<Int.random(in: 0...200, using: &numbers)).map { _ in
                "ab\n\n\r \u{8A}".unicodeScalars.map(String.init).randomElement(using: &numbers)!
            }.joined()
            let whole = split(text, endsInput: true).lines
            let bytes = Array(text.utf8)
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            var pending = Array(bytes[..<cut])
            var found: [String] = []
            for (part, isLast) in [([], false), (Array(bytes[cut...]), true)] as [([UInt8], Bool)] {
                pending += part
                pending = pending.withUnsafeBufferPointer { buffer in
                    var splitter = LineSplitter(buffer, endsInput: isLast)
                    while let line = splitter.next() { found.append(String(decoding: line, as: UTF8.self)) }
                    return Array(splitter.rest)
                }
            }
            #expect(found == whole, "\(text.debugDescription) cut at \(cut)")
        }
    }
}

@Suite("Elements of a batch")
struct BatchSplitterTests {
    private func split(_ text: String) -> (elements: [String], fault: BatchFault?) {
        GuardedText.with(Array(text.utf8)) { buffer in
            var splitter = BatchSplitter(buffer)
            var elements: [String] = []
            do throws(BatchFault) {
                while let element = try splitter.next() { elements.append(String(decoding: element, as: UTF8.self)) }
                return (elements, nil)
            } catch {
                return (elements, error)
            }
        }
    }

    @Test(
        "Elements come out without the white space around them",
        arguments: [
            ("[]", []),
            (" [ \n ] ", []),
            ("\u{FEFF}[1]", ["1"]),
            ("\u{0}\u{0} \u{FEFF}[1]", ["1"]),
            ("[1]", ["1"]),
            ("\t[ 1 , {\"a\" : [ 1 , 2 ]} ,\n[ [] , {} ] ]\r\n", ["1", "{\"a\" : [ 1 , 2 ]}", "[ [] , {} ]"]),
            (#"["a,]}","\"","\\",{"]":"}"}]"#, [#""a,]}""#, #""\"""#, #""\\""#, #"{"]":"}"}"#]),
            (#"["0123456\"89abcdef","0123456789abcdef\\"]"#, [#""0123456\"89abcdef""#, #""0123456789abcdef\\""#]),
        ])
    func elements(text: String, elements: [String]) {
        #expect(split(text).elements == elements)
        #expect(split(text).fault == nil)
    }

    @Test(
        "A bad element leaves its neighbours unharmed",
        arguments: [
            ("[1,,2]", ["1", "", "2"]),
            ("[1,2,]", ["1", "2", ""]),
            ("[,]", ["", ""]),
            ("[1, {a:1} ,2]", ["1", "{a:1}", "2"]),
            ("[1,{\"a\":},2]", ["1", "{\"a\":}", "2"]),
            ("[1,tru e,2]", ["1", "tru e", "2"]),
            ("[1,{\"a\":\"\n\u{0}\"} x,2]", ["1", "{\"a\":\"\n\u{0}\"} x", "2"]),
        ])
    func badElements(text: String, elements: [String]) {
        #expect(split(text).elements == elements)
        #expect(split(text).fault == nil)
    }

    @Test(
        "Where no end can be told, the batch is refused, after the elements before it",
        arguments: [
            ("", [], "an array is expected", 0),
            ("  ", [], "an array is expected", 2),
            ("{}", [], "an array is expected", 0),
            ("\u{FEFF}{}", [], "an array is expected", 3),
            ("[", [], "the array is cut", 1),
            ("[1", [], "the array is cut", 2),
            ("[1,", ["1"], "the array is cut", 3),
            ("[1,{\"a\":2", ["1"], "the array is cut", 9),
            ("[1,\"a]", ["1"], "the array is cut within a string", 3),
            ("[1,\"0123456789\\", ["1"], "the array is cut within a string", 3),
            ("[1,\"0123456789\\\"]", ["1"], "the array is cut within a string", 3),
            ("[1,{\"a\":[2}]", ["1"], "a bracket closes that was not opened", 10),
            ("[1,2},3]", ["1"], "a bracket closes that was not opened", 4),
            ("[1] x", [], "nothing more is expected after the array", 4),
            ("[][]", [], "nothing more is expected after the array", 2),
        ])
    func noBatch(text: String, elements: [String], reason: String, offset: Int) {
        let found = split(text)
        #expect(found.elements == elements)
        #expect(found.fault?.reason == reason)
        #expect(found.fault?.offset == offset)
    }

    @Test("Very deep elements need no stack and are left to the scanner to refuse")
    func deepElements() {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(split("[1,\(deep),2]").elements == ["1", deep, "2"])
        #expect(read(deep).code == .malformed)
    }

    @Test("The elements of a batch of events are the events")
    func events() {
        let texts = [EventText.activity.text, EventText.call.text, "{\"a\":1,}", EventText.usage.text]
        let found = split("[" + texts.joined(separator: " ,\n") + "]").elements
        #expect(found == texts)
        #expect(found.map { read($0).code } == [nil, nil, .malformed, nil])
    }
}
