// The executable: everything is in Commands.

import Commands

@main
enum Main {
    static func main() { Meterd.run() }
}
