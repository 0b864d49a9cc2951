// What a run came to, for people, for programs and for the gate.
#pragma once

#include <string>
#include <vector>

#include "loadgen/gate.h"
#include "loadgen/plan.h"
#include "loadgen/run.h"
#include "wirehall/value.h"

namespace wirehall::loadgen {

/// The figures that a mode has, by the names that conditions and the JSON report use.
std::vector<Figure> figures_of(const Plan& plan, const Outcome& outcome);
/// Their names, before there is a run.
std::vector<Figure> figures_of(const Options& options);

/// The report for people: lines of text.
std::string table_of(const Plan& plan, const Outcome& outcome);
/// What is to be doubted about the figures: a generator that was too slow, messages that left late. One line
/// each.
std::vector<std::string> warnings_of(const Plan& plan, const Outcome& outcome);
Value json_of(const Plan& plan, const Outcome& outcome, const std::vector<std::string>& failed);

/// A whole number with commas: 12,345.
std::string grouped(double number);

}  // namespace wirehall::loadgen
