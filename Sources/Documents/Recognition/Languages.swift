import CTesseract
import Foundation
import Frames

/// Tesseract's language data on this machine.
public enum Languages {
  /// Throws `Failure` of exit code 3 with the packages to install, or of code 2 where the list is not valid.
  public static func check(_ languages: String) throws {
    let names = languages.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    guard names.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || "_-/".contains($0) } })
    else { throw Failure("'\(languages)' is no list of languages", advice: "write it as eng+deu", exitCode: .usage) }
    let folder = folder ?? ""
    let missing = names.filter { !FileManager.default.fileExists(atPath: "\(folder)/\($0).traineddata") }
    if !missing.isEmpty {
      let packages = missing.map { "tesseract-ocr-" + $0.lowercased().replacingOccurrences(of: "_", with: "-") }
      throw Failure(
        "Tesseract has no data for \(missing.joined(separator: ", "))",
        advice: "run: apt install " + packages.joined(separator: " "), exitCode: .missing)
    }
  }

  /// The names of what is installed, sorted.
  public static func installed() -> [String] {
    guard let folder, let files = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [] }
    return files.filter { $0.hasSuffix(".traineddata") }.map { String($0.dropLast(12)) }.sorted()
  }

  /// The names of what a handle has loaded: it makes do with some of a list where others are missing.
  static func loaded(_ handle: OpaquePointer) -> Set<String> {
    guard let names = TessBaseAPIGetLoadedLanguagesAsVector(handle) else { return [] }
    defer { TessDeleteTextArray(names) }
    var result: Set<String> = []
    var at = 0
    while let name = names[at] {
      result.insert(String(cString: name))
      at += 1
    }
    return result
  }

  public static var version: String { String(cString: TessVersion()) }

  /// Where Tesseract looks for its data; nil where there is none.
  static let folder: String? = {
    let files = FileManager.default
    if let prefix = ProcessInfo.processInfo.environment["TESSDATA_PREFIX"] {
      return [prefix, prefix + "/tessdata"].first { files.fileExists(atPath: $0) }
    }
    guard let handle = TessBaseAPICreate() else { return nil }
    defer {
      TessBaseAPIEnd(handle)
      TessBaseAPIDelete(handle)
    }
    // Only an initialised handle knows the folder that it was built for; Debian's package always brings `osd`. Its
    // settings are enough: the rest is dear to load.
    var name = strdup("tessedit_init_config_only")
    var value = strdup("1")
    defer { [name, value].forEach { free(UnsafeMutableRawPointer($0)) } }
    _ = TessBaseAPIInit4(handle, nil, "osd", OEM_TESSERACT_ONLY, nil, 0, &name, &value, 1, 0)
    guard let path = TessBaseAPIGetDatapath(handle).map({ String(cString: $0) }), files.fileExists(atPath: path)
    else { return nil }
    return path.hasSuffix("/") ? String(path.dropLast()) : path
  }()
}
