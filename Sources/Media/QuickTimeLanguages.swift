import CFFmpeg
import Frames

/// QuickTime numbers its languages (Apple, QuickTime File Format, "Language Code Values"); libavformat calls each by one
/// of its ISO 639-2 codes, or by a name of its own, and drops all others.
enum QuickTimeLanguages {
  /// What libavformat calls those whose usual code it does not take.
  private static let names = [
    "deu": "ger", "fre": "fra", "nld": "dut", "swe": "sve", "ell": "gre", "isl": "ice", "hrv": "hr ", "zho": "chi",
    "fao": "fo ", "sqi": "alb", "rum": "ron", "cze": "ces", "slo": "slk", "srp": "sr ", "mkd": "mac", "hye": "arm",
    "kat": "geo", "bod": "tib", "pan": "pa ", "mya": "bur", "msa": "may", "cym": "wel", "eus": "baq",
    "fas": "iri", "per": "iri", "nob": "nor", "nno": "nor",
  ]
  private static let known = Set(
    """
    eng ita spa dan por nor heb jpn ara fin mlt tur urd hin tha kor lit pol hun est lav rus slv yid bul ukr bel uzb
    kaz aze mol kir tgk tuk mon pus kur kas snd nep san mar ben asm guj ori mal kan tam tel khm lao vie ind tgl amh
    tir orm som swa run mlg epo cat lat que grn aym tat uig dzo jav
    """.split(whereSeparator: \.isWhitespace).map(String.init))

  /// Calls the streams' languages what the writer of QuickTime files does, and names those that it has no number for.
  static func translate(_ context: UnsafeMutablePointer<AVFormatContext>) -> [MediaNote] {
    var notes: [MediaNote] = []
    for index in 0..<Int(context.pointee.nb_streams) {
      guard let stream = context.pointee.streams[index],
        let value = av_dict_get(stream.pointee.metadata, "language", nil, 0)?.pointee.value
      else { continue }
      let language = String(cString: value)
      if known.contains(language) || names.values.contains(language) || language == "und" { continue }
      av_dict_set(&stream.pointee.metadata, "language", names[language], 0)
      if names[language] == nil {
        notes.append(MediaNote(.loss, "stream \(index)'s language, \(language): QuickTime has no number for it"))
      }
    }
    return notes
  }
}
