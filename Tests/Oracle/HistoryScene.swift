// Where and when random histories begin: zones and dates at which days are not like other days.

struct HistoryScene: Sendable {
    var timeZone: String
    /// Days worth beginning at or shortly before.
    var days: [String]

    static let all: [HistoryScene] = [
        HistoryScene(
            timeZone: "Asia/Shanghai", days: ["2026-12-30", "2027-01-30", "2028-02-28", "2029-03-01", "2027-06-15"]),
        HistoryScene(timeZone: "UTC", days: ["2027-12-31", "2028-02-28", "2029-03-01"]),
        HistoryScene(timeZone: "Europe/London", days: ["2027-03-28", "2027-10-31"]),
        HistoryScene(timeZone: "America/New_York", days: ["2027-03-14", "2027-11-07", "2026-12-31"]),
        // An hour is skipped or repeated at midnight.
        HistoryScene(timeZone: "America/Havana", days: ["2027-03-14", "2026-11-01"]),
        HistoryScene(timeZone: "Atlantic/Azores", days: ["2027-03-28", "2027-10-31"]),
        HistoryScene(timeZone: "Asia/Beirut", days: ["2027-03-28", "2027-10-31"]),
        HistoryScene(timeZone: "America/Santiago", days: ["2027-04-04", "2027-09-05"]),
        HistoryScene(timeZone: "Africa/Cairo", days: ["2027-04-30", "2027-10-29"]),
        // Half an hour.
        HistoryScene(timeZone: "Australia/Lord_Howe", days: ["2027-04-04", "2027-10-03"]),
        // Two hours; half an hour for good; an hour that comes back with Ramadan.
        HistoryScene(timeZone: "Antarctica/Troll", days: ["2027-03-28", "2027-10-31"]),
        HistoryScene(timeZone: "Asia/Pyongyang", days: ["2015-08-15", "2018-05-05"]),
        HistoryScene(timeZone: "Africa/Casablanca", days: ["2026-02-15", "2026-03-22"]),
        // 1994-12-31 and 2011-12-30 never were.
        HistoryScene(timeZone: "Pacific/Kiritimati", days: ["1994-12-31", "1995-01-01"]),
        HistoryScene(timeZone: "Pacific/Apia", days: ["2011-12-30", "2011-12-31"]),
    ]
}
