import { expect, test } from "vitest";

import type { ConnectionReply, ConnectorReply } from "../../api/schema";
import { changes, creation, differences, entriesOf, flawsOf } from "./entries";

const DROPZONE: ConnectorReply = {
  connector_type: "DROPZONE_JSON_V1",
  title: null,
  config_schema: null,
  secret_names: ["password", "private_key"],
};
const STORED: ConnectionReply = {
  id: "1",
  name: "ERP",
  connector_type: "DROPZONE_JSON_V1",
  config: { transport: "folder", export_path: "/in", novel: true },
  secret_names: [],
  status: "ACTIVE",
  version: 3,
  created_at: null,
  updated_at: null,
  last_test_at: null,
  last_test_result: null,
  health: null,
  terms: {
    max_attempts: 5,
    first_delay_seconds: null,
    longest_delay_seconds: null,
    concurrency: null,
    ack_sla_seconds: null,
    ack_poll_seconds: null,
  },
};

test("a new connection has what was entered, and nothing of a transport not chosen", () => {
  const entries = {
    ...entriesOf(DROPZONE),
    name: " ERP ",
    config: { transport: "folder", export_path: "/in", host: "left over" },
    secrets: { password: "" },
  };
  expect(flawsOf(DROPZONE, entries)).toEqual({});
  expect(creation(DROPZONE, entries)).toEqual({
    name: "ERP",
    connector_type: "DROPZONE_JSON_V1",
    config: { transport: "folder", export_path: "/in" },
    secrets: {},
    terms: {},
    test_on_save: true,
  });
});

test("only what differs is sent, and settings without a field are kept", () => {
  const entries = entriesOf(DROPZONE, STORED);
  expect(changes(DROPZONE, STORED, entries)).toBeUndefined();
  const config = { ...entries.config, export_path: "/out" };
  expect(changes(DROPZONE, STORED, { ...entries, config, removed: ["password"] })).toEqual({
    config: { transport: "folder", export_path: "/out", novel: true },
    secrets: { password: null },
    test_on_save: true,
  });
});

test("what someone else changed is named by field", () => {
  const other = {
    ...STORED,
    name: "Other",
    terms: { ...STORED.terms, max_attempts: null },
    secret_names: ["password"],
  };
  expect(differences(DROPZONE, STORED, other)).toEqual(["secrets", "name", "terms.max_attempts"]);
});
