import Foundation
import Testing

/// Folders as strangers hand them over: each bad file costs one clear line and nobody else's output.
@Suite(.serialized) struct HostileInputTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "command-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ name: String, _ text: String) throws {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// A clip of four small frames, by Debian's ffmpeg.
  private func clip(_ name: String) throws {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let source = ["-f", "lavfi", "-i", "testsrc2=s=32x16:d=0.16:r=25"]
    let made = try Command(words: ["ffmpeg", "-v", "error"] + source + ["-c:v", "mpeg4", file.path])
    try #require(made.code == 0, "\(made.error)")
  }

  private func outputs() -> [String] {
    let found = FileManager.default.enumerator(atPath: folder.appending(path: "out").path)?.compactMap { $0 as? String }
    return (found ?? []).filter { !$0.hasPrefix(".pipe") }.sorted()
  }

  private func pipe(_ arguments: String...) throws -> Command {
    try Command(["run", "transcode.yml", "--set", "encode.preset=ultrafast"] + arguments, folder: folder.path)
  }

  @Test func filesThatNameOthersAreNotFollowed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try clip("in/good.mp4")
    try clip("secret.mp4")
    let secret = folder.appending(path: "secret.mp4").path
    try write("in/playlist.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.16,\n\(secret)\n#EXT-X-ENDLIST\n")
    try write("in/playlist.ts", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.16,\nfile://\(secret)\n#EXT-X-ENDLIST\n")
    try write("in/script.mkv", "ffconcat version 1.0\nfile '\(secret)'\n")
    try write("in/text.mov", "This is a letter, not a film.\n")
    let command = try pipe("in", "-o", "out")
    #expect(command.code == 1)
    #expect(outputs() == ["good.mkv"])
    for name in ["playlist.mp4", "playlist.ts", "script.mkv", "text.mov"] {
      #expect(
        command.error.split(separator: "\n").count { $0.hasPrefix("error: in/\(name): ") } == 1, "\(command.error)")
    }
  }

  @Test func namesAreNoOptionsAndNoWords() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try clip("Ärger & Söhne/-n.mp4")
    try clip("Ärger & Söhne/a'b \"c\" $(d).mp4")
    let command = try pipe("Ärger & Söhne", "-o", "out")
    #expect(command.code == 0, "\(command.error)")
    #expect(outputs() == ["-n.mkv", "a'b \"c\" $(d).mkv"])
    try clip("-n.mp4")
    let single = try pipe("-o", "out", "--", "-n.mp4")
    #expect(single.code == 0, "\(single.error)")
  }

  @Test func emptyFoldersAndWrongPlacesAreNamed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder.appending(path: "empty"), withIntermediateDirectories: true)
    try clip("in/good.mp4")
    for (arguments, message) in [
      (["missing", "-o", "out"], "there is no file or folder 'missing'"),
      (["in", "-o", "in/out"], "lies inside the input"), (["in", "-o", "/proc/none"], "cannot write to the output"),
    ] {
      let command = try Command(["run", "transcode.yml"] + arguments, folder: folder.path)
      #expect(command.code == 2, "\(arguments): \(command.error)")
      #expect(command.error.contains(message) && command.error.contains("error:"), "\(command.error)")
      #expect(command.error.split(separator: "\n").count == 1, "\(command.error)")
    }
    let empty = try pipe("empty", "-o", "out")
    #expect(empty.code == 0)
    #expect(empty.error.contains("nothing below empty matches"), "\(empty.error)")
  }

  @Test func mistakesAndModelsAreNamedBeforeAnythingRuns() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try clip("in/good.mp4")
    try write(
      "bad.yml",
      """
      version: 1
      name: bad
      inputs: { include: ["*.mp4"] }
      output: "{stem}.mkv"
      stages:
        - decod
        - upscale: { modle: sr-x2-fast }
        - encode: { crf: 99 }
      """)
    let three = try Command(["run", "bad.yml", "in", "-o", "out"], folder: folder.path)
    #expect(three.code == 2)
    #expect(three.error.split(separator: "\n").count == 3, "\(three.error)")
    let model = try Command(
      ["run", "upscale.yml", "in", "-o", "out", "--set", "upscale.model=sr-x2-fats"], folder: folder.path)
    #expect(model.code == 2)
    #expect(model.error.contains("there is no model 'sr-x2-fats'; did you mean 'sr-x2-fast'?"), "\(model.error)")
    #expect(outputs().isEmpty)
  }

  @Test func documentsThatAreNoneCostALineEach() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try write("in/letter.pdf", "Dear Sir or Madam")
    try write("in/empty.tif", "")
    try write("in/cut.gif", "GIF89a")
    try write("in/none.pdf", "%PDF-1.4\ntrailer << >>\n")
    let page = folder.appending(path: "in/page.png").path
    let made = try Command(words: ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=white:s=300x200:d=0.04", page])
    try #require(made.code == 0, "\(made.error)")
    let command = try Command(["run", "ocr.yml", "in", "-o", "out"], folder: folder.path)
    #expect(command.code == 1)
    #expect(outputs() == ["page.json", "page.pdf", "page.txt"])
    let lines = command.error.split(separator: "\n")
    for name in ["letter.pdf", "empty.tif", "cut.gif", "none.pdf"] {
      #expect(lines.count { $0.hasPrefix("error: ") && $0.contains(name) } == 1, "\(command.error)")
    }
    // Nobody knows what the others need.
    #expect(lines.contains { $0.hasPrefix("1 done, 4 failed") } && !lines.contains { $0.contains("review") })
    try FileManager.default.removeItem(at: folder.appending(path: "out"))
    let alone = try Command(["run", "ocr.yml", page, "-o", "out"], folder: folder.path)
    #expect(alone.error.contains("no page needs review"), "\(alone.error)")
  }

  /// The superuser can read everything: then the program runs as `nobody`, where the build folder lets it.
  @Test func unreadableFolderCostsItselfAlone() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try clip("in/good.mp4")
    try clip("in/locked/hidden.mp4")
    let locked = folder.appending(path: "in/locked").path
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: locked)
    defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: locked) }
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    let words = ["run", "transcode.yml", "in", "-o", "out", "--set", "encode.preset=ultrafast"]
    let command: Command
    if getuid() == 0 {
      guard try Command(words: nobody + [Command.program, "--version"], folder: folder.path).code == 0 else {
        print("skipped: 'nobody' cannot start \(Command.program)")
        return
      }
      command = try Command(words: nobody + [Command.program] + words, folder: folder.path)
    } else {
      command = try Command(words, folder: folder.path)
    }
    #expect(command.code == 1, "\(command.error)")
    #expect(command.error.split(separator: "\n").count { $0.contains("locked") && $0.contains("error:") } == 1)
    #expect(outputs() == ["good.mkv"])
  }
}
