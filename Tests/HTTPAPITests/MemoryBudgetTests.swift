// What requests and answers may take of the memory that they share.

import Testing

@testable import HTTPAPI

@Suite("The memory that requests and answers share")
struct MemoryBudgetTests {
    @Test("is crowded once unread answers take more than half of it, so that slow readers make room for senders")
    func crowded() {
        let budget = MemoryBudget(limit: 1_000)
        budget.add(.outcome, 500)
        #expect(!budget.isCrowded)
        budget.add(.outcome, 1)
        #expect(budget.isCrowded)
        budget.remove(.outcome, 1)
        #expect(!budget.isCrowded)
    }

    @Test("has no room for a request beside unread answers that fill it, and has it again once they are read")
    func room() {
        let budget = MemoryBudget(limit: 1_000)
        budget.add(.outcome, 900)
        let share = budget.share()
        #expect(!share.grow(to: 101))
        #expect(share.grow(to: 100))
        budget.remove(.outcome, 900)
        #expect(share.grow(to: 1_000))
    }

    @Test("has room for pages whatever senders leave unread, and for a quarter of it beside other pages")
    func pages() {
        let budget = MemoryBudget(limit: 1_000)
        budget.add(.outcome, 900)
        #expect(budget.hasRoom(forPage: 500))
        budget.add(.page, 200)
        #expect(budget.hasRoom(forPage: 50))
        #expect(!budget.hasRoom(forPage: 51))
        budget.remove(.page, 200)
        #expect(budget.hasRoom(forPage: 51))
    }
}
