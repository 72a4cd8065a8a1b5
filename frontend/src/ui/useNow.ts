import { useEffect, useState } from "react";

const STEP_MILLISECONDS = 30_000;

/** The time in milliseconds, moving on twice a minute: for ages that are shown. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, STEP_MILLISECONDS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}
