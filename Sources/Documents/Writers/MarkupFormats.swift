import Foundation
import Frames

/// hOCR 1.2: HTML whose elements bear boxes in pixels of the picture that was read.
struct HOCR: TextFormat {
  static let suffix = "hocr"

  func beginning(input: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
    <html xmlns="http://www.w3.org/1999/xhtml">
     <head>
      <title>\(input.escapedForXML)</title>
      <meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
      <meta name="ocr-system" content="pipe, tesseract \(Languages.version)"/>
      <meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf"/>
     </head>
     <body>

    """
  }

  func page(_ page: PageResult, index: Int) -> String {
    let grid = PixelGrid(page)
    let number = page.number + 1
    func bbox(_ box: Box) -> String { "bbox " + grid.corners(box).map(String.init).joined(separator: " ") }
    let dpi = page.dpi.map { decimal($0, 0) }.joined(separator: " ")
    var out = """
        <div class="ocr_page" id="page_\(number)" title="bbox 0 0 \(grid.width) \(grid.height); ppageno \(page.number); \
      scan_res \(dpi)">

      """
    var lineCount = 0
    var wordCount = 0
    var paragraphCount = 0
    for (b, block) in (page.text?.blocks ?? []).enumerated() {
      out += "   <div class=\"ocr_carea\" id=\"block_\(number)_\(b + 1)\" title=\"\(bbox(grid.box(of: block)))\">\n"
      for paragraph in block.paragraphs {
        paragraphCount += 1
        out +=
          "    <p class=\"ocr_par\" id=\"par_\(number)_\(paragraphCount)\" title=\"\(bbox(grid.box(of: paragraph)))\">\n"
        for line in paragraph {
          lineCount += 1
          let size = decimal((line.ascent + line.descent) * (page.dpi.last ?? 72) / 72, 1)
          out += "     <span class=\"ocr_line\" id=\"line_\(number)_\(lineCount)\" "
          out += "title=\"\(bbox(grid.box(of: line))); x_size \(size)\">"
          for word in line.words {
            wordCount += 1
            let direction = word.rightToLeft ? " dir=\"rtl\"" : ""
            out += "\n      <span class=\"ocrx_word\" id=\"word_\(number)_\(wordCount)\"\(direction) "
            out += "title=\"\(bbox(grid.box(of: word))); x_wconf \(PixelGrid.whole(word.confidence))\">"
            out += "\(word.text.escapedForXML)</span>"
          }
          out += "\n     </span>\n"
        }
        out += "    </p>\n"
      }
      out += "   </div>\n"
    }
    return out + "  </div>\n"
  }

  func end(_ summary: DocumentSummary) -> String { " </body>\n</html>\n" }
}

/// ALTO 3.1, in pixels of the picture that was read.
struct ALTO: TextFormat {
  static let suffix = "xml"

  func beginning(input: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <alto xmlns="http://www.loc.gov/standards/alto/ns-v3#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
    xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v3# http://www.loc.gov/alto/v3/alto-3-1.xsd">
     <Description>
      <MeasurementUnit>pixel</MeasurementUnit>
      <sourceImageInformation><fileName>\(input.escapedForXML)</fileName></sourceImageInformation>
      <OCRProcessing ID="OCR_0"><ocrProcessingStep><processingSoftware>\
    <softwareName>tesseract \(Languages.version)</softwareName>\
    </processingSoftware></ocrProcessingStep></OCRProcessing>
     </Description>
     <Layout>

    """
  }

  func page(_ page: PageResult, index: Int) -> String {
    let grid = PixelGrid(page)
    let number = page.number + 1
    func place(_ box: Box) -> String {
      let cells = grid.cells(box)
      return "HPOS=\"\(cells[0])\" VPOS=\"\(cells[1])\" WIDTH=\"\(cells[2])\" HEIGHT=\"\(cells[3])\""
    }
    var out = "  <Page ID=\"page_\(number)\" PHYSICAL_IMG_NR=\"\(number)\" "
    out += "WIDTH=\"\(grid.width)\" HEIGHT=\"\(grid.height)\">\n"
    out += "   <PrintSpace HPOS=\"0\" VPOS=\"0\" WIDTH=\"\(grid.width)\" HEIGHT=\"\(grid.height)\">\n"
    var lineCount = 0
    var wordCount = 0
    var paragraphCount = 0
    for (b, block) in (page.text?.blocks ?? []).enumerated() {
      out += "    <ComposedBlock ID=\"cblock_\(number)_\(b + 1)\" \(place(grid.box(of: block)))>\n"
      for paragraph in block.paragraphs {
        paragraphCount += 1
        out += "     <TextBlock ID=\"block_\(number)_\(paragraphCount)\" \(place(grid.box(of: paragraph)))>\n"
        for line in paragraph {
          lineCount += 1
          out += "      <TextLine ID=\"line_\(number)_\(lineCount)\" \(place(grid.box(of: line)))>\n"
          for (w, word) in line.words.enumerated() {
            wordCount += 1
            if w > 0 {
              let (before, after) = (grid.box(of: line.words[w - 1]), grid.box(of: word))
              let left = min(before.x + before.width, after.x)
              out += "       <SP WIDTH=\"\(PixelGrid.whole(max(after.x - left, 0)))\" "
              out += "VPOS=\"\(PixelGrid.whole(after.y))\" HPOS=\"\(PixelGrid.whole(left))\"/>\n"
            }
            out += "       <String ID=\"string_\(number)_\(wordCount)\" \(place(grid.box(of: word))) "
            out += "WC=\"\(decimal(word.confidence / 100, 2))\" CONTENT=\"\(word.text.escapedForXML)\"/>\n"
          }
          out += "      </TextLine>\n"
        }
        out += "     </TextBlock>\n"
      }
      out += "    </ComposedBlock>\n"
    }
    return out + "   </PrintSpace>\n  </Page>\n"
  }

  func end(_ summary: DocumentSummary) -> String { " </Layout>\n</alto>\n" }
}

/// One JSON object: pages of blocks of lines of words, then a summary. Boxes are `[left, top, width, height]`.
struct JSONText: TextFormat {
  static let suffix = "json"

  func beginning(input: String) -> String {
    "{\"version\": 1, \"input\": \(input.quotedForJSON), \"unit\": \"pt\", \"pages\": ["
  }

  func page(_ page: PageResult, index: Int) -> String {
    func array(_ values: [Double]) -> String { "[" + values.map { decimal($0, 2) }.joined(separator: ", ") + "]" }
    func array(_ box: Box) -> String { array([box.x, box.y, box.width, box.height]) }
    let words = page.text?.words.map(\.confidence) ?? []
    let mean = words.isEmpty || page.hasOwnText ? "null" : decimal(words.reduce(0, +) / Double(words.count), 2)
    var out = index == 0 ? "\n" : ",\n"
    out +=
      "{\"number\": \(page.number + 1), \"width\": \(decimal(page.width, 2)), \"height\": \(decimal(page.height, 2)), "
    out += "\"pixels\": [\(page.pixels.map(String.init).joined(separator: ", "))], \"dpi\": \(array(page.dpi)), "
    out += "\"turned\": \(page.turn), \"source\": \(page.hasOwnText ? "\"document\"" : "\"recognised\""), "
    out += "\"confidence\": \(mean), \"note\": \(page.note?.quotedForJSON ?? "null"), \"blocks\": ["
    for (b, block) in (page.shownText?.blocks ?? []).enumerated() {
      out += (b == 0 ? "\n" : ",\n") + " {\"box\": \(array(block.box)), \"lines\": ["
      for (l, line) in block.lines.enumerated() {
        out += (l == 0 ? "\n" : ",\n") + "  {\"box\": \(array(line.box)), \"baseline\": \(array(line.baseline)), "
        out += "\"paragraph\": \(line.startsParagraph), \"words\": ["
        for (w, word) in line.words.enumerated() {
          out += (w == 0 ? "\n" : ",\n") + "   {\"text\": \(word.text.quotedForJSON), \"box\": \(array(word.box)), "
          if !page.hasOwnText { out += "\"pixels\": \(array(word.pixels)), " }
          out += "\"confidence\": \(decimal(word.confidence, 1)), \"certainty\": \(decimal(word.certainty, 1))}"
        }
        out += "]}"
      }
      out += "]}"
    }
    return out + "]}"
  }

  func end(_ summary: DocumentSummary) -> String {
    """

    ],
    "summary": {"pages": \(summary.pages), "words": \(summary.words), \
    "confidence": \(summary.confidence.map { decimal($0, 2) } ?? "null"), "threshold": \(decimal(summary.threshold, 1)), \
    "doubtful_words": \(summary.doubtfulWords), \
    "pages_to_review": [\(summary.pagesToReview.map(String.init).joined(separator: ", "))]}}

    """
  }
}
