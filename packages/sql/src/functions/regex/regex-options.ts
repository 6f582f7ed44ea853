/** Option letters of regular expressions, and the error that all of their faults become. */
import { PhantomError } from '@phantom/base';

/** 2201B with the reason, as PostgreSQL words it. */
export function invalidRegex(reason: string): PhantomError {
  return new PhantomError('2201B', `invalid regular expression: ${reason}`);
}

/** What option letters and directors switch; set while the pattern is parsed. */
export interface RegexOptions {
  ignoreCase: boolean;
  newlineStops: boolean;
  newlineAnchors: boolean;
  expanded: boolean;
  literal: boolean;
  /** `b`: basic, `e`: extended without Tcl's escapes, else advanced. */
  flavor: 'advanced' | 'extended' | 'basic';
}

/** Applies option letters, as in regexp_replace's flags or (?xyz). */
export function applyOptions(letters: string, flags: RegexOptions): void {
  for (const letter of letters) {
    switch (letter) {
      case 'i':
        flags.ignoreCase = true;
        break;
      case 'c':
        flags.ignoreCase = false;
        break;
      case 'm':
      case 'n':
        flags.newlineStops = true;
        flags.newlineAnchors = true;
        break;
      case 's':
        flags.newlineStops = false;
        flags.newlineAnchors = false;
        break;
      case 'p':
        flags.newlineStops = true;
        flags.newlineAnchors = false;
        break;
      case 'w':
        flags.newlineStops = false;
        flags.newlineAnchors = true;
        break;
      case 'x':
        flags.expanded = true;
        break;
      case 't':
        flags.expanded = false;
        break;
      case 'q':
        flags.literal = true;
        break;
      case 'e':
        flags.flavor = 'extended';
        flags.literal = false;
        break;
      case 'b':
        flags.flavor = 'basic';
        flags.literal = false;
        break;
      default:
        throw invalidRegex('invalid embedded option');
    }
  }
}
