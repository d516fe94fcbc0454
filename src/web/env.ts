/** Who asks for a page. */
export type SignedIn =
  /** The page needs no password: it is open to whoever is on this machine. */
  | { readonly way: 'open' }
  | { readonly way: 'password' }
  /** A reverse proxy says who. */
  | { readonly way: 'proxy'; readonly user: string };

/** What a request carries on its way to a page. */
export interface WebEnv {
  Bindings: {
    /** Node.js's own request, where there is a network. */
    readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
  };
  Variables: {
    /** Goes into every form that changes something, as `csrf`. */
    csrfToken: string;
    signedIn: SignedIn;
  };
}
