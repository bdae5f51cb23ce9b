// Damaged events, thousands of them from fixed seeds: the scanner answers each, the same wherever the bytes lie, and
// never reads outside them.

import EventCodec
import TestSupport
import Testing

@Suite("Damaged events", .computing)
struct MutationTests {
    static let seeds: [String] = [
        EventText.activity.text, EventText.call.text, EventText.usage.text,
        EventText.activity.with("data", #"{"features":["a\u0062","c\ud83d\ude00"],"device":"日本語-é"}"#).text,
        EventText.usage.with("ext", #"{"a":[1,-2.5e+3,true,null],"b":{"c":"\\\"\n"}}"#).text,
    ]

    /// Flips, overwrites, cuts, repeats and joins; the pieces that matter to JSON are likelier than others.
    static func damaged(using numbers: inout SeededNumbers) -> [UInt8] {
        var text = Array(seeds.randomElement(using: &numbers)!.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &numbers) where !text.isEmpty {
            let at = Int.random(in: 0..<text.count, using: &numbers)
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: text[at] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            case 1: text[at] = Array("\"\\{}[],:0e.-+ntf/u \n\u{0}\u{7F}".utf8).randomElement(using: &numbers)!
            case 2: text[at] = UInt8.random(in: 0...255, using: &numbers)
            case 3: text.remove(at: at)
            case 4: text.removeLast(text.count - at)
            default:
                let end = Int.random(in: at...min(text.count, at + 20), using: &numbers)
                text.insert(contentsOf: text[at..<end], at: Int.random(in: 0...text.count, using: &numbers))
            }
        }
        return text
    }

    @Test("Each is answered, the same at any address and with whatever lies around it", arguments: 1...8)
    func neverCrashes(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let reused = EventScanner()
        var taken = 0
        for _ in 0..<2_000 {
            let text = Self.damaged(using: &numbers)
            let atTheEndOfMemory = read(text)
            let before = (0..<Int.random(in: 0...9, using: &numbers)).map { _ in UInt8(ascii: "\"") }
            let surrounded = before + text + Array("}\"]}\",:".utf8)
            let within = surrounded.withUnsafeBufferPointer { buffer in
                let place = UnsafeBufferPointer(rebasing: buffer[before.count..<before.count + text.count])
                return Reading(reused.scan(place), reused)
            }
            let shown = "seed \(seed): \(String(decoding: text, as: UTF8.self))"
            #expect(within == atTheEndOfMemory, "\(shown)")
            if let event = within.event {
                taken += 1
                #expect(1...1_000_000_000_000 ~= event.quantity, "\(shown)")
                #expect(!event.source.isEmpty && !event.id.isEmpty && !event.subject.isEmpty, "\(shown)")
                #expect((event.kind == .deviceActivity) == !event.device.isEmpty, "\(shown)")
                #expect((event.kind == .gatewayCall) == event.features.isEmpty, "\(shown)")
                #expect(read(event.raw).event == event, "\(shown)")
            }
        }
        #expect(taken > 50)
        reused.reset()
    }

    @Test("Every cut of a good event is refused as malformed")
    func cuts() {
        for seed in Self.seeds {
            let text = Array(seed.utf8)
            for count in 0..<text.count {
                let reading = read(Array(text[..<count]))
                #expect(reading.code == .malformed && !reading.isJSON)
            }
        }
    }

    @Test(
        "As elements of a batch and as lines they come out as they went in, or the batch is refused", arguments: 1...4)
    func throughSplitters(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed &* 1_000)
        for _ in 0..<1_000 {
            let texts = (0..<3).map { _ in Self.damaged(using: &numbers) }
            let good = Array(EventText.call.text.utf8)
            let batch =
                Array("[".utf8) + good + Array(texts.map { [UInt8(ascii: ",")] + $0 }.joined()) + Array("]".utf8)
            GuardedText.with(batch) { buffer in
                var splitter = BatchSplitter(buffer)
                var first: [UInt8]?
                var end = buffer.baseAddress!
                do throws(BatchFault) {
                    while let element = try splitter.next() {
                        first = first ?? Array(element)
                        #expect(element.baseAddress! >= end)
                        end = element.baseAddress! + element.count
                    }
                } catch {
                    #expect(0...batch.count ~= error.offset)
                }
                #expect(first == good, "seed \(seed)")
            }
            let oneLine = texts.map { $0.filter { $0 != UInt8(ascii: "\n") } }
            let lines = Array(oneLine.joined(separator: Array("\r\n".utf8)))
            GuardedText.with(lines) { buffer in
                var splitter = LineSplitter(buffer, endsInput: true)
                var found: [[UInt8]] = []
                while let line = splitter.next() { found.append(Array(line)) }
                let notBlank = oneLine.filter { !$0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
                #expect(found == notBlank, "seed \(seed)")
            }
        }
    }
}
