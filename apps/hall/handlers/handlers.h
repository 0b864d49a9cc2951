#pragma once

#include <wirehall/hall.h>
#include <wirehall/server.h>

namespace app {

void on_join_room(wirehall::Server& io, wirehall::Hall& hall);        // feature: rooms
void on_leave_room(wirehall::Server& io, wirehall::Hall& hall);       // feature: rooms
void on_manage_room(wirehall::Server& io, wirehall::Hall& hall);      // feature: rooms
void on_message(wirehall::Server& io, wirehall::Hall& hall);          // feature: rooms
void on_change_message(wirehall::Server& io, wirehall::Hall& hall);   // feature: rooms
void on_broadcast(wirehall::Server& io, wirehall::Hall& hall);        // feature: rooms
void on_mark_read(wirehall::Server& io, wirehall::Hall& hall);        // feature: rooms|private-messages
void on_history(wirehall::Server& io, wirehall::Hall& hall);          // feature: history
void on_typing(wirehall::Server& io, wirehall::Hall& hall);           // feature: typing
void on_private_message(wirehall::Server& io, wirehall::Hall& hall);  // feature: private-messages
void on_uploads(wirehall::Server& io, wirehall::Hall& hall);          // feature: uploads
void on_calls(wirehall::Server& io, wirehall::Hall& hall);            // feature: calls
void on_push(wirehall::Server& io, wirehall::Hall& hall);             // feature: push
void on_refresh_token(wirehall::Server& io, wirehall::Hall& hall);    // feature: jwt
void name_native_events(wirehall::Server& io);  // feature: native+jwt|native+rooms|native+private-messages
// wirehall add: handler
// wirehall add: namespace  // feature: socketio

}  // namespace app
