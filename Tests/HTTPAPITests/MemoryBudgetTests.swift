// What requests and answers may take of the memory that they share.

import Testing

@testable import HTTPAPI

@Suite("The memory that requests and answers share")
struct MemoryBudgetTests {
    @Test("is crowded once unread answers take more than half of it, so that slow readers make room for senders")
    func crowded() {
        let budget = MemoryBudget(limit: 1_000)
        budget.addAnswer(500)
        #expect(!budget.isCrowded)
        budget.addAnswer(1)
        #expect(budget.isCrowded)
        budget.removeAnswer(1)
        #expect(!budget.isCrowded)
    }

    @Test("has no room for a request beside unread answers that fill it, and has it again once they are read")
    func room() {
        let budget = MemoryBudget(limit: 1_000)
        budget.addAnswer(900)
        let share = budget.share()
        #expect(!share.grow(to: 101))
        #expect(share.grow(to: 100))
        budget.removeAnswer(900)
        #expect(share.grow(to: 1_000))
    }
}
