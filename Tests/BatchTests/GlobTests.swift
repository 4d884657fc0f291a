import Testing

@testable import Batch

@Suite struct GlobTests {
  @Test(arguments: [
    ("**/*.{mp4,mkv}", "a.mp4", true), ("**/*.{mp4,mkv}", "x/y/A.MKV", true), ("**/*.{mp4,mkv}", "a.mp4.txt", false),
    ("**/*.mp4", ".hidden.mp4", false), ("**/*.mp4", ".git/a.mp4", false), ("**/.*.mp4", "x/.a.mp4", true),
    ("*.mp4", "a.mp4", true), ("*.mp4", "x/a.mp4", false), ("x/**", "x/y/z", true), ("x/**", "y/x/z", false),
    ("**/old/**", "a/old/b.mp4", true), ("**/old/**", "older/b.mp4", false), ("a?c.*", "abc.d", true),
    ("a?c", "äöc", false), ("a?c", "aöc", true), ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false),
    ("[]x]", "]", true), ("[x", "[x", true), ("a{b,c{d,e}}f", "acef", true), ("a{b", "a{b", true),
    ("**/*.ÄPF", "x.äpf", true), ("caf\u{e9}/*", "cafe\u{301}/x", true), ("**", "a/b", true),
    ("a*b*c", "axxbyyc", true),
    ("a*b*c", "axxbyy", false), ("*a*a*a*a*a*a*b", String(repeating: "a", count: 200), false),
  ])
  func matches(_ pattern: String, _ path: String, _ expected: Bool) {
    #expect(GlobSet([pattern]).matches(path) == expected)
  }
}
