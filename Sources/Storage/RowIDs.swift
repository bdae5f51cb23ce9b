// The integers that stand for tenants, apps and items inside the file. They never leave it: codes do.

package struct TenantID: Hashable, BitwiseCopyable, Sendable {
    package let number: Int64
    package init(_ number: Int64) { self.number = number }
}

package struct AppID: Hashable, BitwiseCopyable, Sendable {
    /// At most 2³¹ - 1: it is the upper half of a device's id.
    package let number: Int64
    package init(_ number: Int64) { self.number = number }
}

package struct ItemID: Hashable, BitwiseCopyable, Sendable {
    package let number: Int64
    package init(_ number: Int64) { self.number = number }
}
