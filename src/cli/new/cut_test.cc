#include "cli/new/cut.h"

#include <gtest/gtest.h>

namespace wirehall::cli {
namespace {

const Terms kTerms = {"rooms", "uploads", "native"};

TEST(Condition, AlternativesOfWhatMustAllHold) {
  EXPECT_TRUE(holds("", kTerms));
  EXPECT_TRUE(holds("rooms", kTerms));
  EXPECT_FALSE(holds("calls", kTerms));
  EXPECT_TRUE(holds("rooms+uploads", kTerms));
  EXPECT_FALSE(holds("rooms+calls", kTerms));
  EXPECT_TRUE(holds("calls|rooms", kTerms));
  EXPECT_TRUE(holds("calls+native|rooms+native", kTerms));
  EXPECT_FALSE(holds("calls+native|push", kTerms));
  EXPECT_EQ(terms_of("a+b|c"), (Terms{"a", "b", "c"}));
}

TEST(Cut, KeepsWhatWasChosenWithoutItsMarker) {
  EXPECT_EQ(cut("a();  // feature: rooms\nb();  // feature: calls\nc();\n", kTerms), "a();\nc();\n");
}

TEST(Cut, KnowsTheCommentsOfEachLanguage) {
  EXPECT_EQ(cut("a: 1  # feature: rooms\nb: 1  # feature: calls\n", kTerms), "a: 1\n");
  EXPECT_EQ(cut("<p> <!-- feature: rooms -->\n<b> <!-- feature: calls -->\n", kTerms), "<p>\n");
  EXPECT_EQ(cut("a {} /* feature: rooms */\nb {} /* feature: calls */\n", kTerms), "a {}\n");
}

TEST(Cut, LeavesOtherCommentsOfTheLine) {
  EXPECT_EQ(cut("a();  // why  // feature: rooms\n", kTerms), "a();  // why\n");
  EXPECT_EQ(cut("a();  // a feature: this one is text\n", kTerms), "a();  // a feature: this one is text\n");
}

TEST(Cut, TakesBlankLinesThatBecameSuperfluous) {
  EXPECT_EQ(cut("a\n\nb // feature: calls\n\nc\n", kTerms), "a\n\nc\n");
  EXPECT_EQ(cut("f() {\n  x  // feature: calls\n\n  y\n}\n", kTerms), "f() {\n  y\n}\n");
  EXPECT_EQ(cut("f() {\n  y\n\n  x  // feature: calls\n}\n", kTerms), "f() {\n  y\n}\n");
  EXPECT_EQ(cut("x // feature: calls\n\na\n", kTerms), "a\n");
  EXPECT_EQ(cut("a\n\nx // feature: calls\n", kTerms), "a\n");
}

TEST(Cut, ChangesNothingElse) {
  const std::string text = "{\n\n\n  a  \n\n}\n\n";
  EXPECT_EQ(cut(text, kTerms), text);
  EXPECT_EQ(cut("no end", kTerms), "no end");
  EXPECT_EQ(cut("", kTerms), "");
}

}  // namespace
}  // namespace wirehall::cli
