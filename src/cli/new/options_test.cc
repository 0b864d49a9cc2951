#include "cli/new/options.h"

#include <gtest/gtest.h>

namespace wirehall::cli {
namespace {

using Names = std::vector<std::string>;

std::string why(const Status& status) { return status.ok() ? "" : status.error().detail(); }

TEST(ProjectName, IsAWordThatABuildCanUse) {
  for (const char* name : {"a", "my-app", "chat2"}) EXPECT_EQ(why(check_project_name(name)), "") << name;
}

TEST(ProjectName, ARefusalSaysWhy) {
  EXPECT_EQ(why(check_project_name("")), "the project needs a name");
  EXPECT_EQ(why(check_project_name("2chat")),
            "a project cannot be called \"2chat\": a name begins with a letter from a to z");
  EXPECT_EQ(why(check_project_name("My App")),
            "a project cannot be called \"My App\": a name begins with a letter from a to z");
  EXPECT_EQ(why(check_project_name("my_app")),
            "a project cannot be called \"my_app\": a name has letters from a to z, digits and \"-\" alone");
  EXPECT_EQ(why(check_project_name("app-")),
            "a project cannot be called \"app-\": a \"-\" stands between other characters");
  EXPECT_EQ(why(check_project_name("test")),
            "a project cannot be called \"test\": the build has something of that name already");
  EXPECT_EQ(why(check_project_name(std::string(64, 'a'))), "");
  EXPECT_NE(why(check_project_name(std::string(65, 'a'))), "");
}

TEST(Features, AreReadBetweenCommas) {
  EXPECT_EQ(*parse_features("typing, rooms,typing", manifest()), (Names{"typing", "rooms"}));
  EXPECT_EQ(*parse_features("none", manifest()), Names());
  EXPECT_EQ(parse_features("all", manifest())->size(), manifest().features.size());
}

TEST(Features, ARefusalSaysWhatWasMeant) {
  EXPECT_EQ(parse_features("rooms,typin", manifest()).error().detail().substr(0, 56),
            "there is no feature \"typin\"; did you mean \"typing\"?\nFeat");
  EXPECT_EQ(parse_features("none,rooms", manifest()).error().detail(),
            "\"none\" stands alone: no feature, or some");
  EXPECT_NE(parse_features(",", manifest()).error().detail().find("--features none"), std::string::npos);
}

TEST(Features, BringWhatTheyNeed) {
  ProjectOptions options;
  options.features = {"push", "typing"};
  EXPECT_EQ(close_features(options, manifest()), (Names{"private-messages", "rooms"}));
  EXPECT_EQ(options.features, (Names{"rooms", "private-messages", "typing", "push"}));
  EXPECT_EQ(close_features(options, manifest()), Names());
}

TEST(Options, WhatCannotBeTogetherIsRefusedWithTheReason) {
  ProjectOptions options;
  EXPECT_EQ(why(check_options(options, manifest())), "");
  options.auth = "none";
  EXPECT_EQ(why(check_options(options, manifest())), "");
  options.features = {"private-messages", "push"};
  EXPECT_EQ(why(check_options(options, manifest())),
            "\"push\" needs --auth jwt: without tokens anybody could subscribe as anybody");
}

TEST(Options, AnUnknownWordIsNamedWithTheKnownOnes) {
  ProjectOptions options;
  options.protocol = "socket.io";
  EXPECT_EQ(
      why(check_options(options, manifest())),
      "--protocol cannot be \"socket.io\"; did you mean \"socketio\"?\nIt is one of: both, socketio, native");
}

TEST(Options, TermsSayWhatHolds) {
  ProjectOptions options;
  options.features = {"rooms"};
  EXPECT_EQ(terms_of(options), (Terms{"rooms", "socketio", "native", "jwt", "sqlite", "js"}));
  options.protocol = "native";
  options.auth = options.client = "none";
  options.store = "memory";
  EXPECT_EQ(terms_of(options), (Terms{"rooms", "native", "no-socketio", "no-auth", "memory", "no-client"}));
}

TEST(Options, TheCommandLineSaysEverything) {
  ProjectOptions options;
  options.features = {"rooms", "typing"};
  EXPECT_EQ(
      command_line(options, "x/my-app"),
      "wirehall new x/my-app --features rooms,typing --protocol both --auth jwt --store sqlite --client js");
  options.features.clear();
  EXPECT_NE(command_line(options, "a").find("--features none"), std::string::npos);
  EXPECT_TRUE(
      command_line(options, "my dir/it's").starts_with(R"(wirehall new 'my dir/it'\''s' --features)"));
}

TEST(Options, SurviveTheProjectsOwnFile) {
  ProjectOptions options;
  options.name = "my-app";
  options.protocol = "native";
  options.features = {"rooms", "uploads"};
  options.client = "cpp";
  EXPECT_EQ(*options_from_json(to_json(options, "0.1.0"), manifest()), options);
  EXPECT_EQ(options_from_json("[]", manifest()).error().detail(), "it is no JSON object");
  EXPECT_FALSE(options_from_json(R"({"name":"a","client":"java"})", manifest()).ok());
}

}  // namespace
}  // namespace wirehall::cli
