import type { Fields, Shows } from "./wire.js";

/** The gate tells something and expects no answer. */
export interface Tell {
  readonly layer: string;
  /** The step of the layer's script. */
  readonly step: string;
  readonly shows: Shows;
}

/** Something elsewhere has to happen first; the gate goes on by itself. */
export interface Wait extends Tell {
  /** Seconds that the gate waits. */
  readonly expiresIn: number;
}

interface Asked {
  /** Seconds that the gate waits for the answer. */
  readonly expiresIn: number;
  /** When that time is over, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** Aborted when no answer is wanted any more: too late, another question, a verdict, or the end of the connection. */
  readonly signal: AbortSignal;
}

/** A layer asks for fields. */
export interface Ask extends Asked {
  readonly kind: "ask";
  /** Who asks, such as `totp`. */
  readonly layer: string;
  /** The step of the layer's script, such as `user sends code`. */
  readonly step: string;
  /** The fields that the answer should have. */
  readonly fields: readonly string[];
  /** What is shown with the question: `question`, `statement` ... */
  readonly shows: Shows;
  /** What the layer has told on this connection before it asked, such as its glyph. */
  readonly told: readonly Tell[];
}

/** The user chooses between layers. */
export interface Choose extends Asked {
  readonly kind: "choose";
  /** The first layer of each alternative. */
  readonly of: readonly string[];
  /** Whether none of them may be taken. */
  readonly optional: boolean;
}

/** What is not answered automatically. */
export type Question = Ask | Choose;

/** The layer that is taken. With fields, they are already the answer to its first question. */
export interface Take {
  readonly take: string;
  readonly fields?: Fields;
}

/**
 * An answer: the fields for an {@link Ask}; for a {@link Choose} a {@link Take} or `"skip"`. `undefined` gives up, and closes the
 * connection for good.
 */
export type Answer = Fields | Take | "skip" | undefined;

/** A question was answered; with what, is not told. */
export interface Answered {
  /** The layer that was answered, or taken; `skip` where none was. */
  readonly layer: string;
  /** The step of its script; missing for a choice. */
  readonly step?: string;
  /** Whether the credentials had the answer, and not the page. */
  readonly automatic: boolean;
}
