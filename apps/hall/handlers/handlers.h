#pragma once

#include <wirehall/hall.h>
#include <wirehall/server.h>

namespace hall {

void on_join_room(wirehall::Server& io, wirehall::Hall& hall);
void on_leave_room(wirehall::Server& io, wirehall::Hall& hall);
void on_manage_room(wirehall::Server& io, wirehall::Hall& hall);
void on_message(wirehall::Server& io, wirehall::Hall& hall);
void on_change_message(wirehall::Server& io, wirehall::Hall& hall);
void on_history(wirehall::Server& io, wirehall::Hall& hall);
void on_mark_read(wirehall::Server& io, wirehall::Hall& hall);
void on_broadcast(wirehall::Server& io, wirehall::Hall& hall);
void on_typing(wirehall::Server& io, wirehall::Hall& hall);
void on_presence(wirehall::Server& io, wirehall::Hall& hall);
void on_private_message(wirehall::Server& io, wirehall::Hall& hall);
void on_uploads(wirehall::Server& io, wirehall::Hall& hall);
void on_calls(wirehall::Server& io, wirehall::Hall& hall);
void on_push(wirehall::Server& io, wirehall::Hall& hall);
void on_refresh_token(wirehall::Server& io, wirehall::Hall& hall);

}  // namespace hall
