// The workload as a user reads it: lines of JSON.

import Quantities
import Testing
import Workload

@Suite("Generated events")
struct WorkloadTests {
    @Test("the same seed gives the same bytes")
    func sameSeed() throws {
        let day = try #require(Day("2027-01-10"))
        let start = Instant(micros: Int64(day.number) * 86_400_000_000)
        let local = LocalDay(day, start: start, end: start + 86_400, offsetMinutes: 0)
        var (one, other): ([UInt8], [UInt8]) = ([], [])
        var (first, second) = (Workload(WorkloadShape()).day(local), Workload(WorkloadShape()).day(local))
        first.append(to: &one, maxBytes: 1 << 20)
        second.append(to: &other, maxBytes: 1 << 20)
        #expect(one == other && one.count > 1 << 19)
    }
}
