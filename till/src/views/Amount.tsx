interface Props {
  readonly text: string;
  /** Whether a screen reader says it each time it changes. */
  readonly spoken?: boolean;
}

/** The largest figure on the screen: as large as its column lets the whole of it be. */
export function Amount({ text, spoken = false }: Props) {
  return (
    <div class="amount">
      <output class="amount__text figure" style={{ "--letters": text.length }} aria-live={spoken ? "polite" : "off"}>
        {text}
      </output>
    </div>
  );
}
