/** Milliseconds in the person's locale: "340 ms", "1.2 s". */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { localeOf } from "../../i18n/i18n";

const SECOND = 1000;

export function useDuration(): (milliseconds: number) => string {
  const { i18n } = useTranslation();
  return useMemo(() => {
    const unit = (name: string) =>
      new Intl.NumberFormat(localeOf(i18n.language), {
        style: "unit",
        unit: name,
        maximumSignificantDigits: 3,
      });
    const [short, long] = [unit("millisecond"), unit("second")];
    return (value) => (value < SECOND ? short.format(value) : long.format(value / SECOND));
  }, [i18n.language]);
}
