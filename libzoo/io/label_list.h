// Lists of pictures with any number of labels each: CSV lines `path,label;label` (a first line `path,labels` is a heading; a path or
// labels with a comma stand in quotes, a quote within them is doubled), or JSON lines {"path": …, "labels": [… ]}.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zoo::io {

struct LabelledPath {
  std::string path;
  std::vector<std::string> labels;  // each once; none is possible
  size_t line = 0;                  // counted from 1
};

enum class LabelListFormat { csv, json_lines };

// Empty lines are left out. `where` (a file name) opens the message. Throws UserError with the line for text of another form, an
// empty path, an empty label or one that is given twice.
std::vector<LabelledPath> parse_label_list(std::string_view text, LabelListFormat format, const std::string& where);

}  // namespace zoo::io
