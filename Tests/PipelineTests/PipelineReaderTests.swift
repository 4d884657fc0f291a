import Frames
import Pipeline
import Randomness
import Testing

@Suite struct PipelineReaderTests {
  private func read(_ stages: String, settings: [String] = []) throws -> Chain {
    let text = """
      version: 1
      name: test
      inputs: { include: ["**/*.txt"] }
      output: "{stem}.bin"
      stages:

      """
    return try Chain(text: text + stages, file: "test.yml", settings: settings, registry: smallStages)
  }

  private func errors(_ stages: String) -> [String] {
    do {
      _ = try read(stages)
      return []
    } catch let errors as PipelineErrors {
      return errors.diagnostics.map(\.description)
    } catch {
      return ["\(error)"]
    }
  }

  @Test func readsStagesWithAndWithoutParameters() throws {
    let chain = try read("  - count: 5\n  - add\n  - add: { amount: 3, mode: clamp, wait: 5ms }\n  - bytes:\n")
    #expect(chain.stages.map(\.spec.name) == ["count", "add", "add", "bytes"])
    #expect(chain.stages[0].values["frames"] == .int(5))
    #expect(chain.stages[1].values["amount"] == .int(1))
    #expect(chain.stages[2].values["mode"] == .string("clamp"))
    #expect(chain.stages[2].values["wait"] == .double(0.005))
  }

  @Test func namesEveryMistakeAtItsPlace() {
    let found = errors("  - count: { framez: 3 }\n  - ad: 3\n  - add: { amount: 300 }\n  - bytes\n")
    #expect(
      found == [
        "test.yml:6:14: error: 'count' has no 'framez'; did you mean 'frames'?",
        "test.yml:7:5: error: there is no stage 'ad'; did you mean 'add'?",
        "test.yml:8:20: error: add.amount: 300 is out of range; it wants a whole number from 0 to 255",
      ])
  }

  @Test(arguments: [
    ("  - count\n  - read\n  - bytes\n", "test.yml:7:5: error: 'read' takes pages, but 'count' gives frames"),
    ("  - count\n  - add\n", "test.yml:7:5: error: the chain has no sink: end it with one of bytes"),
    ("  - add\n  - bytes\n", "test.yml:6:5: error: a chain begins with a source (count, scan), not with 'add'"),
    ("  - count\n  - bytes\n  - add\n  - bytes\n", "test.yml:7:5: error: 'bytes' is a sink: it can only stand last"),
    ("  - count\n  - count\n  - bytes\n", "test.yml:7:5: error: 'count' is a source: it can only stand first"),
    (
      "  - count\n  - add: { mode: clump }\n  - bytes\n",
      "test.yml:7:18: error: add.mode: there is no 'clump'; did you mean 'clamp'?"
    ),
    (
      "  - count\n  - add: { amount: \"3\" }\n  - bytes\n",
      "test.yml:7:20: error: add.amount: \"3\" is a text; it wants a whole number from 0 to 255"
    ),
    ("  - count\n  - add: 13\n  - bytes\n", "test.yml:7:5: error: 13 is no amount"),
    (
      "  - count\n  - fault: throw\n  - bytes\n", "test.yml:7:12: error: 'fault' wants its parameters by name: kind, at"
    ),
    (
      "  - count\n    frames: 3\n  - bytes\n",
      "test.yml:7:11: error: this is no YAML: mapping values are not allowed in this context"
    ),
    ("  - count: { frames: 1, frames: 2 }\n  - bytes\n", "test.yml:6:14: error: 'frames' is given twice"),
  ])
  func refuses(stages: String, message: String) {
    #expect(errors(stages) == [message])
  }

  @Test func namesMissingAndUnknownKeysOfTheTopLevel() {
    let text = "version: 2\ninptus: {}\nstages: []\n"
    #expect {
      try Chain(text: text, file: "t.yml", registry: smallStages)
    } throws: { error in
      (error as? PipelineErrors)?.diagnostics.map(\.message) == [
        "'inputs' is missing: which files the pipeline takes, as { include: [\"**/*.mp4\"] }",
        "'output' is missing: the name of each output, as \"{stem}-2x.mkv\"",
        "this program reads version 1 of the language",
        "a pipeline has no 'inptus'; did you mean 'inputs'?",
        "'stages' wants a list, such as [decode, upscale, encode]",
      ]
    }
  }

  @Test func settingsOverrideAndAreChecked() throws {
    let chain = try read("  - count\n  - add: 3\n  - bytes\n", settings: ["add.amount=4", "add.extra=a=1:b=x"])
    #expect(chain.stages[1].values["amount"] == .int(4))
    #expect(chain.stages[1].values["extra"] == .map(["a": .string("1"), "b": .string("x")]))
    for (setting, message) in [
      ("add.amont=4", "--set add.amont=4: 'add' has no 'amont'; did you mean 'amount'?"),
      ("add.amount=x", "--set add.amount=x: 'x' does not fit; it wants a whole number from 0 to 255"),
      ("amount=4", "--set amount=4 is not of the form STAGE.PARAM=VALUE"),
    ] {
      #expect {
        try read("  - count\n  - add\n  - bytes\n", settings: [setting])
      } throws: { error in (error as? Failure)?.message == message && (error as? Failure)?.exitCode == .usage }
    }
  }

  @Test func theKeyIgnoresHowItIsWritten() throws {
    let plain = try read("  - count: 3\n  - add: { amount: 1, mode: wrap }\n  - bytes\n").normalised()
    let other = try read("  # a comment\n  - count\n  - add: { mode: wrap }\n  - bytes: \n").normalised()
    let changed = try read("  - count\n  - add: 2\n  - bytes\n").normalised()
    #expect(plain == other)
    #expect(plain != changed)
  }

  /// Texts that exhaust naive parsers; named by their place, since some are huge.
  private static let hostile = [
    String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000), "stages: *nowhere", "a: b: c",
    "\t",
    "stages: {\n\u{0}}", "&a [*a]", String(repeating: "{a: ", count: 60), "- ? - ? -", "%YAML 9.9\n---\n", "!!binary x",
  ]

  @Test(arguments: hostile.indices)
  func survivesHostileText(index: Int) {
    #expect(throws: PipelineErrors.self) {
      try Chain(text: Self.hostile[index], file: "t.yml", registry: smallStages)
    }
  }

  /// Every prefix and many mutations of a good file are read or refused, never worse.
  @Test func survivesMutations() {
    let good = Array(
      """
      version: 1
      inputs: { include: ["**/*.txt"], exclude: [] }
      output: "{stem}.bin"
      require: { frames: exact, psnr_vs_lanczos: ">= 20" }
      stages:
        - count: { frames: 5, rate: 2.5e1 }
        - add: { strength: auto, extra: { a: 1 } }
        - bytes
      """.utf8)
    var generator = Seeded(state: 1)
    for _ in 0..<3000 {
      var bytes = good
      for _ in 0...Int.random(in: 0..<4, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[at] = UInt8.random(in: 9...126, using: &generator)
        case 1: bytes.remove(at: at)
        default: bytes.insert(contentsOf: bytes[at...].prefix(12), at: at)
        }
      }
      do {
        _ = try Chain(text: String(decoding: bytes, as: UTF8.self), file: "t.yml", registry: smallStages)
      } catch {
        #expect(error is PipelineErrors, "\(error)")
      }
    }
  }
}
