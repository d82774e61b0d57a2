#include "test/architecture/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace zoo::architecture {
namespace fs = std::filesystem;
namespace {

struct Document {
  fs::path path;  // relative to the root
  std::vector<std::string> lines;
  std::vector<bool> in_block;  // per line: inside ``` … ```, fences included
  std::set<std::string> anchors;
};

Document read_document(const fs::path& root, const fs::path& path) {
  Document document{.path = path};
  std::ifstream file(root / path);
  bool in_block = false;
  for (std::string line; std::getline(file, line);) {
    const bool fence = line.find("```") != std::string::npos && line.find_first_not_of(" \t") == line.find("```");
    document.lines.push_back(line);
    document.in_block.push_back(in_block || fence);
    if (fence) in_block = !in_block;
    if (!in_block && line.starts_with("#")) document.anchors.insert(anchor_of(line));
  }
  return document;
}

std::vector<Document> read_documents(const fs::path& root) {
  std::vector<fs::path> paths;
  if (fs::exists(root / "README.md")) paths.push_back("README.md");
  if (fs::is_directory(root / "docs"))
    for (const auto& entry : fs::directory_iterator(root / "docs"))
      if (entry.path().extension() == ".md") paths.push_back(entry.path().lexically_relative(root));
  std::sort(paths.begin(), paths.end());
  std::vector<Document> documents;
  for (const auto& path : paths) documents.push_back(read_document(root, path));
  return documents;
}

std::vector<std::string> code_spans(const std::string& line) {
  static const std::regex span("`([^`]+)`");
  std::vector<std::string> spans;
  for (std::sregex_iterator match(line.begin(), line.end(), span), end; match != end; ++match) spans.push_back((*match)[1]);
  return spans;
}

// The path that a word of code names, without brackets, quotes, punctuation and :line; empty if it names none.
std::string path_in(std::string word, const std::set<std::string>& top_level) {
  const auto bare = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '/'; };
  while (!word.empty() && !bare(word.front())) word.erase(0, 1);
  while (!word.empty() && !(bare(word.back()) && word.back() != '.')) word.pop_back();
  word = std::regex_replace(word, std::regex("(:[0-9]+)+$"), "");
  if (word.starts_with("./")) word.erase(0, 2);
  if (word.find_first_of("*<>{}$=…") != std::string::npos) return {};
  const size_t slash = word.find('/');
  if (slash == std::string::npos || !top_level.contains(word.substr(0, slash))) return {};
  return word;
}

}  // namespace

std::string anchor_of(const std::string& heading) {
  std::string anchor;
  const size_t start = heading.find_first_not_of("# ");
  for (char c : start == std::string::npos ? "" : heading.substr(start)) {
    if (c == ' ')
      anchor += '-';
    else if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
      anchor += char(std::tolower(static_cast<unsigned char>(c)));
  }
  return anchor;
}

std::vector<std::string> dead_ends(const fs::path& root) {
  std::set<std::string> top_level;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_directory()) top_level.insert(entry.path().filename().string());
  for (const char* written : {"build", "runs", ".git"}) top_level.erase(written);

  const auto documents = read_documents(root);
  std::map<fs::path, const Document*> by_path;
  for (const auto& document : documents) by_path[document.path] = &document;

  std::vector<std::string> found;
  static const std::regex link(R"(\]\(([^)\s]+)[^)]*\))");
  for (const auto& document : documents) {
    for (size_t i = 0; i < document.lines.size(); ++i) {
      const std::string& line = document.lines[i];
      auto report = [&](const std::string& what) { found.push_back(fmt::format("{}:{}: {}", document.path.string(), i + 1, what)); };

      const auto code = document.in_block[i] ? std::vector<std::string>{line} : code_spans(line);
      for (const auto& span : code) {
        std::istringstream words(span);
        for (std::string word; words >> word;)
          if (const auto path = path_in(word, top_level); !path.empty() && !fs::exists(root / path))
            report(fmt::format("no such path: {}", path));
      }
      if (document.in_block[i]) continue;

      const std::string text = std::regex_replace(line, std::regex("`[^`]+`"), "");
      for (std::sregex_iterator match(text.begin(), text.end(), link), end; match != end; ++match) {
        const std::string target = (*match)[1];
        if (target.find("://") != std::string::npos || target.starts_with("mailto:")) continue;
        const size_t hash = target.find('#');
        const fs::path path = hash == 0 ? document.path : (document.path.parent_path() / target.substr(0, hash)).lexically_normal();
        if (!fs::exists(root / path)) {
          report(fmt::format("dead link: {}", target));
        } else if (hash != std::string::npos && by_path.contains(path) && !by_path[path]->anchors.contains(target.substr(hash + 1))) {
          report(fmt::format("no such heading: {}", target));
        }
      }
    }
  }
  return found;
}

}  // namespace zoo::architecture
