/** Search and filters; each change is in the address at once. */
import { useNavigate } from "@tanstack/react-router";
import { type RefObject, useId, useState } from "react";
import { Input, Label, SearchField } from "react-aria-components";
import { useTranslation } from "react-i18next";

import { Button } from "../../ui/Button";
import { Choice } from "../../ui/Choice";
import styles from "./DraftList.module.css";
import {
  AGES,
  type DraftSearch,
  EXPORT_STATES,
  SORTS,
  changed,
  isLedByExports,
  isNarrowed,
} from "./search";

interface Props {
  readonly search: DraftSearch;
  readonly searchInput: RefObject<HTMLInputElement | null>;
}

export function Filters({ search, searchInput }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const more = useId();
  // Read by narrow windows alone, where all fields at once would leave no room for a row.
  const [isOpen, setOpen] = useState(false);
  const go = (changes: Parameters<typeof changed>[1]) => {
    void navigate({ to: "/drafts", search: changed(search, changes) });
  };
  return (
    <search aria-label={t("drafts.filters")} className={styles.filters}>
      <Words
        label={t("drafts.search")}
        value={search.q}
        onChange={(q) => {
          go({ q });
        }}
        inputRef={searchInput}
      />
      <div className={styles.toggle}>
        <Button
          aria-expanded={isOpen}
          aria-controls={more}
          onPress={() => {
            setOpen(!isOpen);
          }}
        >
          {t("drafts.moreFilters")}
        </Button>
      </div>
      <div id={more} className={styles.more} data-open={isOpen || undefined}>
        <Words
          label={t("drafts.customer")}
          value={search.customer}
          onChange={(customer) => {
            go({ customer });
          }}
        />
        <Day
          label={t("drafts.orderedFrom")}
          value={search.from}
          onChange={(from) => {
            go({ from });
          }}
        />
        <Day
          label={t("drafts.orderedTo")}
          value={search.to}
          onChange={(to) => {
            go({ to });
          }}
        />
        <Choice
          label={t("drafts.age")}
          none={t("drafts.anyAge")}
          options={AGES.map((age) => ({ id: String(age), text: t(`drafts.ages.h${age}`) }))}
          value={search.age === undefined ? undefined : String(search.age)}
          onChange={(age) => {
            go({ age: AGES.find((each) => String(each) === age) });
          }}
        />
        <Choice
          label={t("drafts.state")}
          none={t("drafts.anyState")}
          options={EXPORT_STATES.map((state) => ({ id: state, text: t(`drafts.states.${state}`) }))}
          value={search.state}
          onChange={(state) => {
            go({ state: EXPORT_STATES.find((each) => each === state), sort: undefined });
          }}
        />
        <Words
          label={t("drafts.errorCode")}
          value={search.error}
          onChange={(error) => {
            go({ error: error?.toUpperCase(), sort: undefined });
          }}
        />
        {!isLedByExports(search) && (
          <Choice
            label={t("drafts.sort")}
            options={SORTS.map((sort) => ({ id: sort, text: t(`drafts.sorts.${sort}`) }))}
            value={search.sort ?? "NEWEST"}
            onChange={(sort) => {
              go({ sort: SORTS.find((each) => each === sort && each !== "NEWEST") });
            }}
          />
        )}
      </div>
      {isNarrowed(search) && (
        <Button
          onPress={() => {
            const { status, sort } = search;
            void navigate({ to: "/drafts", search: changed({}, { status, sort }) });
          }}
        >
          {t("drafts.clearFilters")}
        </Button>
      )}
    </search>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

/** Taken with Enter, or when the person leaves the field. */
function Words({
  label,
  value,
  onChange,
  inputRef,
}: FieldProps & { readonly inputRef?: RefObject<HTMLInputElement | null> }) {
  const [typed, setTyped] = useState(value ?? "");
  const [taken, setTaken] = useState(value);
  // The address changed behind our back: by the browser's buttons, or by "clear".
  if (taken !== value) {
    setTaken(value);
    setTyped(value ?? "");
  }
  const take = (text: string) => {
    const next = text.trim() === "" ? undefined : text.trim();
    if (next !== value) onChange(next);
  };
  return (
    <SearchField
      value={typed}
      onChange={setTyped}
      onSubmit={take}
      onClear={() => {
        take("");
      }}
      onBlur={() => {
        take(typed);
      }}
    >
      <Label>{label}</Label>
      <Input ref={inputRef ?? null} />
    </SearchField>
  );
}

function Day({ label, value, onChange }: FieldProps) {
  return (
    <label className={styles.day}>
      {label}
      <input
        type="date"
        className="react-aria-Input"
        value={value ?? ""}
        onChange={(event) => {
          onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value);
        }}
      />
    </label>
  );
}
