#include "cli/new/add.h"

#include <gtest/gtest.h>

#include "cli/new/tree.h"
#include "support/temporary_directory.h"

namespace wirehall::cli {
namespace {
namespace fs = std::filesystem;

TEST(PieceName, HasThreeWritings) {
  const Result<PieceName> name = piece_name("move-player2");
  EXPECT_EQ(name->kebab, "move-player2");
  EXPECT_EQ(name->snake, "move_player2");
  EXPECT_EQ(name->pascal, "MovePlayer2");
  for (const char* wrong : {"", "-a", "a-", "a--b", "A", "a_b", "2a", "a/b", "../x"})
    EXPECT_FALSE(piece_name(wrong).ok()) << wrong;
}

TEST(AddLine, GoesAboveTheAnchorOnce) {
  std::string text = "f() {\n  a();\n  // wirehall add: handler\n}\n";
  bool changed = false;
  EXPECT_TRUE(add_line(text, "handler", "b();", changed));
  EXPECT_TRUE(changed);
  EXPECT_EQ(text, "f() {\n  a();\n  b();\n  // wirehall add: handler\n}\n");
  changed = false;
  EXPECT_TRUE(add_line(text, "handler", "b();", changed));
  EXPECT_FALSE(changed);
  EXPECT_FALSE(add_line(text, "middleware", "c();", changed));
}

class Piece : public testing::Test {
 protected:
  void make(ProjectOptions options) {
    options_ = std::move(options);
    options_.name = "app";
    close_features(options_, manifest());
    SeededRandom random(1);
    const auto files = plan_project(options_, manifest(), {"app", "0", "", ""}, random);
    ASSERT_TRUE(write_tree(project_, *files, [] { return true; }).ok());
  }
  Result<std::vector<Edit>> plan(std::string_view kind, std::string_view name) {
    return plan_piece(project_, options_, kind, *piece_name(name));
  }
  void apply(std::string_view kind, std::string_view name) {
    const auto edits = plan(kind, name);
    ASSERT_TRUE(edits.ok()) << edits.error().detail();
    for (const Edit& edit : *edits) {
      const bool same = edit.kind == Edit::Kind::kSame;
      ASSERT_TRUE(same || replace_file(project_ / edit.path, edit.bytes).ok());
    }
  }
  std::string text(const std::string& path) { return *read_text(project_ / path); }

  test::TemporaryDirectory directory_;
  fs::path project_ = fs::path(directory_.path()) / "app";
  ProjectOptions options_;
};

TEST_F(Piece, IsAFileAndTheLinesThatMakeItKnown) {
  make({});
  apply("handler", "move-player");
  EXPECT_NE(text("src/handlers/move_player.cpp").find("void on_move_player("), std::string::npos);
  EXPECT_NE(text("src/handlers/move_player.cpp").find("\"move-player\""), std::string::npos);
  EXPECT_NE(text("src/handlers/handlers.h").find("void on_move_player(wirehall::Server& io"),
            std::string::npos);
  EXPECT_NE(text("src/app.cpp").find("\n  on_move_player(io, hall);\n"), std::string::npos);
  for (const std::string& kind : piece_kinds()) apply(kind, "thing");
  EXPECT_NE(text("src/rooms/thing.cpp").find("class ThingRooms final"), std::string::npos);
}

TEST_F(Piece, ASecondTimeChangesNothing) {
  make({});
  for (const std::string& kind : piece_kinds()) {
    apply(kind, "move-player");
    const auto again = plan(kind, "move-player");
    for (const Edit& edit : *again) EXPECT_EQ(edit.kind, Edit::Kind::kSame) << kind << " " << edit.path;
  }
}

TEST_F(Piece, AFileThatIsThereStaysAsItIs) {
  make({});
  apply("handler", "mine");
  const std::string mine = "void on_mine(Server&, Hall&) {}\n";
  ASSERT_TRUE(replace_file(project_ / "src/handlers/mine.cpp", mine).ok());
  ASSERT_TRUE(replace_file(project_ / "src/app.cpp", "  // wirehall add: handler\n").ok());
  apply("handler", "mine");
  EXPECT_EQ(text("src/handlers/mine.cpp"), mine);
  EXPECT_EQ(text("src/app.cpp"), "  on_mine(io, hall);\n  // wirehall add: handler\n");
}

TEST_F(Piece, ATestThatIsGoneStaysAway) {
  make({});
  apply("handler", "mine");
  fs::remove(project_ / "tests/mine.test.mjs");
  const auto again = plan("handler", "mine");
  for (const Edit& edit : *again) EXPECT_EQ(edit.kind, Edit::Kind::kSame) << edit.path;
}

TEST_F(Piece, ASourceThatIsGoneIsMadeAgain) {
  make({});
  apply("handler", "mine");
  fs::remove(project_ / "src/handlers/mine.cpp");
  apply("handler", "mine");
  EXPECT_TRUE(fs::exists(project_ / "src/handlers/mine.cpp"));
}

// "sample" is what templates call a piece: a name that holds it is put in whole, once.
TEST_F(Piece, CanBeCalledAsTheTemplatesAre) {
  make({});
  for (const std::string& kind : piece_kinds()) {
    apply(kind, "sample-resample");
    apply(kind, "sample");
  }
  EXPECT_NE(text("src/app.cpp").find("  on_sample_resample(io, hall);\n  on_sample(io, hall);\n"),
            std::string::npos);
  EXPECT_NE(text("src/handlers/sample_resample.cpp").find("io.on_event(\"sample-resample\", ["),
            std::string::npos);
  EXPECT_NE(text("src/rooms/sample_resample.cpp").find("class SampleResampleRooms final"), std::string::npos);
  EXPECT_NE(text("tests/sample_resample.test.mjs").find("src/handlers/sample_resample.cpp."),
            std::string::npos);
}

TEST_F(Piece, WhatHasTheNameAlreadyIsNamedAndNothingIsChanged) {
  make({});
  ASSERT_TRUE(replace_file(project_ / "src/handlers/taken.cpp", "// something else\n").ok());
  const struct {
    const char* kind;
    const char* name;
    const char* why;
  } cases[] = {
      {"handler", "create-room", "src/handlers/manage_room.cpp has it already (io.on_event(\"create-room\")"},
      {"handler", "stop-typing", "src/handlers/typing.cpp has it already"},
      {"handler", "join", "src/handlers/native_names.cpp has it already"},
      {"handler", "presence", "src/presence/presence.cpp has it already (void on_presence()"},
      {"handler", "change-message", "src/handlers/message.cpp has it already (void on_change_message()"},
      {"handler", "disconnect", "the protocols keep that event"},
      {"handler", "taken", "src/handlers/taken.cpp is there already, and has no on_taken()"},
      {"handler", "auth", "tests/auth.test.mjs is there already, and is the test of something else"},
      {"middleware", "logging", "src/middleware/middleware.h declares another use_logging()"},
      {"room-type", "team", "src/rooms/room_types.cpp has it already (room_type(\"team\")"},
      {"room-type", "room-types", "src/rooms/room_types.cpp is there already"}};
  for (const auto& [kind, name, why] : cases) {
    const auto edits = plan(kind, name);
    ASSERT_FALSE(edits.ok()) << kind << " " << name;
    EXPECT_NE(edits.error().detail().find(why), std::string::npos) << edits.error().detail();
    EXPECT_EQ(edits.error().code(), ErrorCode::kConflict);
  }
  const auto known = plan("handler", "message");
  for (const Edit& edit : *known) EXPECT_EQ(edit.kind, Edit::Kind::kSame) << edit.path;
}

TEST_F(Piece, WithoutAnAnchorNothingIsChangedAndTheLineIsNamed) {
  make({});
  ASSERT_TRUE(replace_file(project_ / "src/app.cpp", "// mine\n").ok());
  const auto edits = plan("handler", "move");
  EXPECT_EQ(edits.error().code(), ErrorCode::kConflict);
  EXPECT_NE(edits.error().detail().find("src/app.cpp"), std::string::npos);
  EXPECT_NE(edits.error().detail().find("on_move(io, hall);"), std::string::npos);
}

TEST_F(Piece, WhatDoesNotFitTheProjectIsRefused) {
  ProjectOptions options;
  options.features.clear();
  options.protocol = "native";
  make(options);
  EXPECT_EQ(plan("room-type", "a").error().detail(), "this project was made without the feature rooms");
  EXPECT_NE(plan("namespace", "a").error().detail().find("native"), std::string::npos);
  EXPECT_TRUE(plan("handler", "a").ok());
}

TEST_F(Piece, AProjectIsFoundFromBelow) {
  make({});
  EXPECT_EQ(find_project(project_ / "src/handlers"), project_);
  EXPECT_EQ(find_project(project_), project_);
  EXPECT_EQ(find_project(project_.parent_path()), fs::path());
}

}  // namespace
}  // namespace wirehall::cli
