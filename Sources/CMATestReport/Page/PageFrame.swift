// SPDX-License-Identifier: GPL-2.0-or-later

/// What every page has around its contents.
enum PageFrame {
  static func html(_ title: String, _ body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(xmlText(title))</title>
    <style>
    \(PageStyle.sheet)
    </style>
    </head>
    <body>
    <main>
    \(body)</main>
    </body>
    </html>

    """
  }
}
