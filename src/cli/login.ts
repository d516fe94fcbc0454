import { Command } from 'commander';
import { loginChatgptCommand } from './login/chatgpt.ts';
import { loginMailCommand } from './login/mail.ts';

/** `chatkeep login`: what Chatkeep may sign in to, one subcommand each. */
export function loginCommand(): Command {
  return new Command('login')
    .description('give Chatkeep access to a mailbox, or to the exports of a ChatGPT account')
    .addCommand(loginMailCommand())
    .addCommand(loginChatgptCommand());
}
