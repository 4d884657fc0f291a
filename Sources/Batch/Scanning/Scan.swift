import Foundation
import Frames
import Media

/// A file that a user gave, or that lies below a folder he gave.
public struct InputFile: Sendable, Hashable {
  /// As it is opened and as the user is told: it begins with what he typed.
  public var path: String
  /// Its place below the input folder; the plain name for a file given by itself.
  public var relative: String
  /// Which of the inputs on the command line it comes from.
  public var root: Int
  public var identity: FileIdentity

  public var name: String { relative.split(separator: "/").last.map(String.init) ?? relative }
}

/// One INPUT of the command line.
public struct InputRoot: Sendable, Hashable {
  public enum Kind: Sendable { case file, folder }
  /// As typed, without a slash at its end.
  public var path: String
  /// Without links, `.` and `..`.
  public var resolved: String
  public var kind: Kind
}

/// What was found below the inputs.
///
/// Hidden files and folders are left out, and with them `.pipe`. A link to a file is an input like any other, under
/// its own name. A link to a folder is never entered: its files come under their real path, or are not below the
/// input; so a loop of links is harmless, and an input cannot reach out of its folder.
public struct Scan: Sendable {
  public internal(set) var roots: [InputRoot] = []
  /// In the order of the roots, within each sorted by path; each file once.
  public internal(set) var files: [InputFile] = []
  /// Files that were named on the command line but that the pipeline does not take.
  public internal(set) var unmatched: [InputFile] = []
  /// Folders that could not be read and names that cannot be opened.
  public internal(set) var problems: [Failure] = []
  /// What the user should know but that is no mistake: links not followed.
  public internal(set) var remarks: [String] = []

  /// Throws a usage `Failure` where an input does not exist or is neither file nor folder.
  public init(_ inputs: [String], include: [String], exclude: [String]) throws {
    let rules = Rules(include: GlobSet(include), exclude: GlobSet(exclude))
    var seen: Set<String> = []
    for input in inputs {
      let root = try Self.root(input)
      let index = roots.count
      roots.append(root)
      switch root.kind {
      case .file:
        guard let identity = FileIdentity(path: root.path) else {
          throw Failure("\(input) went away", exitCode: .usage)
        }
        let sequence = PictureSequence(root.path)
        let name = sequence?.title ?? root.path.split(separator: "/").last.map(String.init) ?? root.path
        let file = InputFile(path: root.path, relative: name, root: index, identity: identity)
        if sequence != nil || rules.matchesByName(name) { files.append(file) } else { unmatched.append(file) }
      case .folder:
        var walk = Walk(root: index, rules: rules)
        walk.enter(root.path, relative: "")
        files += walk.files.sorted { $0.relative.utf8.lexicographicallyPrecedes($1.relative.utf8) }
        problems += walk.problems
        remarks += walk.remarks
      }
    }
    // The same file through two inputs is one job: the first one's.
    if roots.count > 1 {
      files = files.filter { file in
        let root = roots[file.root]
        return seen.insert(root.kind == .file ? root.resolved : root.resolved + "/" + file.relative).inserted
      }
    }
  }

  private static func root(_ input: String) throws -> InputRoot {
    guard !input.isEmpty else { throw Failure("an input is empty", exitCode: .usage) }
    var path = input
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    // No library may take a name for an option.
    if path.hasPrefix("-") { path = "./" + path }
    guard let status = FileSystem.status(path) else {
      if PictureSequence(path) != nil {
        return InputRoot(path: path, resolved: FileSystem.resolvedFuture(path), kind: .file)
      }
      throw Failure(
        "there is no file or folder '\(input)'" + (errno == ENOENT ? "" : ": \(String(cString: strerror(errno)))"),
        exitCode: .usage)
    }
    guard status.isFile || status.isFolder, let resolved = FileSystem.resolved(path) else {
      throw Failure("\(input) is neither a file nor a folder", exitCode: .usage)
    }
    return InputRoot(path: path, resolved: resolved, kind: status.isFile ? .file : .folder)
  }

  struct Rules {
    let include: GlobSet
    let exclude: GlobSet

    func matches(_ relative: String) -> Bool { include.matches(relative) && !exclude.matches(relative) }

    /// For a file that was named on the command line: it may be hidden, and stands outside any tree.
    func matchesByName(_ name: String) -> Bool {
      matches(name.hasPrefix(".") ? String(name.drop { $0 == "." }) : name)
    }
  }
}

/// Reads a tree of folders.
private struct Walk {
  let root: Int
  let rules: Scan.Rules
  var files: [InputFile] = []
  var problems: [Failure] = []
  var remarks: [String] = []

  init(root: Int, rules: Scan.Rules) { (self.root, self.rules) = (root, rules) }

  mutating func enter(_ path: String, relative: String) {
    guard let folder = opendir(path) else {
      problems.append(
        Failure(
          "cannot read this folder: \(String(cString: strerror(errno)))", place: path,
          advice: "give yourself the right to read it, or exclude it"))
      return
    }
    var folders: [String] = []
    let descriptor = dirfd(folder)
    while let entry = readdir(folder) {
      guard let name = self.name(of: entry, in: path) else { continue }
      if name.hasPrefix(".") || name.hasSuffix(".part") { continue }
      let below = relative.isEmpty ? name : relative + "/" + name
      let type = Int32(entry.pointee.d_type)
      // Most files of a big tree are told by their name and kind alone.
      if type == Int32(DT_REG), !rules.matches(below) { continue }
      if type == Int32(DT_DIR) {
        folders.append(name)
        continue
      }
      take(name, below, path: path, descriptor: descriptor, folders: &folders)
    }
    closedir(folder)
    for name in folders {
      enter(path == "/" ? "/" + name : path + "/" + name, relative: relative.isEmpty ? name : relative + "/" + name)
    }
  }

  private mutating func take(
    _ name: String, _ below: String, path: String, descriptor: Int32, folders: inout [String]
  ) {
    var status = stat()
    let full = path == "/" ? "/" + name : path + "/" + name
    guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFLNK {
      guard fstatat(descriptor, name, &status, 0) == 0 else {
        if rules.matches(below) {
          problems.append(Failure("this link leads nowhere", place: full, advice: "remove it, or exclude it"))
        }
        return
      }
      if status.isFolder {
        remarks.append("\(full): a link to a folder, not followed; give the folder itself as an input")
        return
      }
    }
    if status.isFolder {
      folders.append(name)
    } else if status.isFile, rules.matches(below) {
      files.append(InputFile(path: full, relative: below, root: root, identity: FileIdentity(status)))
    }
  }

  /// The entry's name, or nil for `.`, `..` and what no text can spell.
  private mutating func name(of entry: UnsafeMutablePointer<dirent>, in path: String) -> String? {
    // The name is read in place: the imported tuple would be copied, and the record may be shorter than it.
    let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0
    let bytes = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    guard let name = String(validatingCString: bytes) else {
      problems.append(
        Failure("the name of '\(String(cString: bytes))' is not UTF-8", place: path, advice: "rename it"))
      return nil
    }
    return name == "." || name == ".." ? nil : name
  }
}
