#include <libzoo/core/suggest.h>

#include <algorithm>
#include <cctype>

namespace zoo {
namespace {

char same_dash(char c) { return c == '-' ? '_' : c; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = char(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> before, previous(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = int(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(previous);
    previous.swap(row);
    row.assign(b.size() + 1, int(i));
    for (size_t j = 1; j <= b.size(); ++j) {
      const char x = same_dash(a[i - 1]), y = same_dash(b[j - 1]);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x != y)});
      if (i > 1 && j > 1 && x == same_dash(b[j - 2]) && same_dash(a[i - 2]) == y) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view typed, const std::vector<std::string>& names) {
  if (typed.size() > 100) return {};
  std::string best;
  int least = 4;
  for (const std::string& name : names) {
    const int distance = edit_distance(lower(typed), lower(name));
    if (distance < least && distance * 3 <= int(std::max<size_t>({typed.size(), name.size(), 3}))) {
      least = distance;
      best = name;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& names) {
  const std::string best = nearest(typed, names);
  return best.empty() ? std::string() : " (did you mean '" + best + "'?)";
}

}  // namespace zoo
