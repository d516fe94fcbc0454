/** What a request carries on its way to a page. */
export interface WebEnv {
  Variables: {
    /** Goes into every form that changes something. */
    csrfToken: string;
  };
}
