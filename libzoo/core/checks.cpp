#include <libzoo/core/checks.h>

#include <fmt/format.h>

namespace zoo {
namespace {

std::string bound(long double value) {
  const double rounded = double(value);
  return static_cast<long double>(rounded) == value ? fmt::format("{}", rounded) : fmt::format("{:.0f}", value);
}

}  // namespace

Check one_of(std::initializer_list<const char*> choices) {
  Check check{.kind = Check::Kind::one_of};
  check.choices.assign(choices.begin(), choices.end());
  return check;
}

Check one_of(std::initializer_list<int> choices) {
  Check check{.kind = Check::Kind::one_of};
  for (int choice : choices) check.choices.push_back(std::to_string(choice));
  return check;
}

std::string range_text(const Check& check, std::string_view other) {
  switch (check.kind) {
    case Check::Kind::required: return {};
    case Check::Kind::at_least: return ">= " + bound(check.low);
    case Check::Kind::at_most: return "<= " + bound(check.high);
    case Check::Kind::between: return fmt::format("in [{}, {}]", bound(check.low), bound(check.high));
    case Check::Kind::positive: return "> 0";
    case Check::Kind::non_negative: return ">= 0";
    case Check::Kind::not_empty: return "not empty";
    case Check::Kind::divides: return fmt::format("divides {}", other);
    case Check::Kind::existing_file: return "existing file";
    case Check::Kind::existing_directory: return "existing folder";
    case Check::Kind::existing_path: return "existing file or folder";
    case Check::Kind::one_of: break;
  }
  std::string text = "one of ";
  for (const std::string& choice : check.choices) text += (&choice == &check.choices.front() ? "" : ", ") + choice;
  return text;
}

}  // namespace zoo
