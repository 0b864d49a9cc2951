#include "loadgen/gate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace wirehall::loadgen {
namespace {

using Relation = Condition::Relation;

struct Sign {
  std::string_view text;
  Relation relation;
};
// The longer ones first.
constexpr std::array kSigns = {Sign{">=", Relation::kAtLeast}, Sign{"<=", Relation::kAtMost},
                               Sign{"==", Relation::kEqual},   Sign{"!=", Relation::kNotEqual},
                               Sign{">", Relation::kAbove},    Sign{"<", Relation::kBelow}};

struct Unit {
  std::string_view text;
  double factor;
};
constexpr std::array kDurations = {Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"µs", 1e3}, Unit{"ms", 1e6},
                                   Unit{"s", 1e9}};
constexpr std::array kCounts = {Unit{"", 1}, Unit{"k", 1e3}, Unit{"M", 1e6}, Unit{"%", 1e-2}};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Error bad(std::string_view text, const std::string& why) {
  return Error(ErrorCode::kConfig, "the condition \"" + std::string(text.substr(0, 100)) + "\" " + why);
}

template <class Units>
const Unit* find_unit(const Units& units, std::string_view text) {
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const Unit& one) { return one.text == text; });
  return found == units.end() ? nullptr : &*found;
}

}  // namespace

bool Condition::holds(double value) const {
  switch (relation) {
    case Relation::kAbove: return value > limit;
    case Relation::kAtLeast: return value >= limit;
    case Relation::kBelow: return value < limit;
    case Relation::kAtMost: return value <= limit;
    case Relation::kEqual: return value == limit;
    case Relation::kNotEqual: return value != limit;
  }
  return false;
}

Result<Condition> parse_condition(std::string_view text, const std::vector<Figure>& known) {
  const std::size_t at = text.find_first_of("<>=!");
  const Sign* sign = nullptr;
  for (const Sign& one : kSigns) {
    if (at != std::string_view::npos && text.substr(at).starts_with(one.text)) {
      sign = &one;
      break;
    }
  }
  if (sign == nullptr) return bad(text, "has none of > >= < <= == !=: write for instance p99>5ms, or lost>0");
  Condition out;
  out.text = std::string(text);
  out.name = std::string(trimmed(text.substr(0, at)));
  out.relation = sign->relation;
  const auto figure =
      std::find_if(known.begin(), known.end(), [&](const Figure& one) { return one.name == out.name; });
  if (figure == known.end()) {
    std::string names;
    for (const Figure& one : known) names += (names.empty() ? "" : ", ") + one.name;
    return bad(text, "judges \"" + out.name + "\", which is no figure of this mode; these are: " + names);
  }
  const std::string value(trimmed(text.substr(at + sign->text.size())));
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (end == value.c_str() || !std::isfinite(number)) return bad(text, "has no number behind the sign");
  const std::string_view rest = trimmed(std::string_view(end));
  const Unit* unit = figure->duration ? find_unit(kDurations, rest) : find_unit(kCounts, rest);
  if (unit == nullptr) {
    return bad(text, figure->duration
                         ? "judges a time: its limit wants a unit, ns, us, ms or s"
                         : "has \"" + std::string(rest) + "\" behind the number: only k, M and % are known");
  }
  out.limit = number * unit->factor;
  return out;
}

std::vector<std::string> failures(const std::vector<Condition>& conditions,
                                  const std::vector<Figure>& figures) {
  std::vector<std::string> out;
  for (const Condition& condition : conditions) {
    for (const Figure& figure : figures) {
      if (figure.name != condition.name || !condition.holds(figure.value)) continue;
      std::array<char, 40> number;
      std::snprintf(number.data(), number.size(), "%.12g", figure.value);
      out.push_back(condition.text + " (it is " +
                    (figure.duration ? duration_text(figure.value) : std::string(number.data())) + ")");
    }
  }
  return out;
}

std::string duration_text(double ns) {
  struct Scale {
    double from;
    double unit;
    const char* name;
  };
  constexpr std::array kScales = {Scale{999.5e6, 1e9, "s"}, Scale{999.5e3, 1e6, "ms"},
                                  Scale{999.5, 1e3, "µs"}, Scale{0, 1, "ns"}};
  const Scale& scale =
      *std::find_if(kScales.begin(), kScales.end() - 1, [ns](const Scale& one) { return ns >= one.from; });
  const double value = ns / scale.unit;
  std::array<char, 40> text;
  const int digits = scale.unit == 1 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::snprintf(text.data(), text.size(), "%.*f %s", digits, value, scale.name);
  return text.data();
}

}  // namespace wirehall::loadgen
