// SPDX-License-Identifier: AGPL-3.0-or-later
// The types of the calls from the page to its worker, and of their results. A failure is a PortalError, see
// portal-error.js. Days are YYYY-MM-DD.

/**
 * @typedef {{ file: Blob, name: string, stripped: boolean }} ChosenFile as it is sent; `stripped` says that hidden details
 *   were removed, and that it was read again. The file's type follows its bytes
 *
 * @typedef {"jpeg" | "png" | "webp" | "pdf" | "heic" | "other"} FileKind
 * @typedef {"damaged" | "heic" | "large" | "locked" | "other"} CleaningProblem not whole or not understood; a kind of
 *   picture, or of any file, that can't be cleaned here; a PDF that is too large; one that is locked, signed or has programs
 * @typedef {{ file: Blob, name: string }} FileRequest
 * @typedef {object} CleanedFile
 * @property {FileKind} kind by the bytes
 * @property {string} type media type by the bytes; of a kind that they do not tell, as the browser says, possibly empty
 * @property {Blob | null} blob without hidden details; null with a problem
 * @property {CleaningProblem | null} problem
 * @property {{ width: number, height: number }} size of a picture in pixels; zeros when it is not known
 * @property {ImageBitmap} [picture] a small one
 * @property {boolean} [revealing] whether the name may tell a time or a place
 * @property {string} [ending] of a name that tells nothing, ".jpg"
 *
 * @typedef {{ charter: string, realm: string }} CharterRequest text of the charter's signed note; realm of the portal
 *
 * @typedef {object} SubmitRequest
 * @property {string} realm of the portal, as in the charter
 * @property {string} charter text of the charter's signed note
 * @property {string} digits receipt code, 35 digits
 * @property {string} language
 * @property {Record<string, unknown>} answers by question id, docs/protocol.md §4.3
 * @property {"now" | "soon" | "none"} urgency what the office reads at once, docs/protocol.md §5.5
 * @property {string[]} exclude labels of members who must not read this
 * @property {ChosenFile[]} files
 * @property {"browser"} sealedBy
 * @property {Made | null} [made] what an earlier try has made, under whose id this one goes
 * @property {boolean} [isChanged] whether anything was changed since
 *
 * @typedef {{ bytes: Uint8Array<ArrayBuffer>, manifestHash: string, commitment: string }} Bundle sealed, with what its
 *   acknowledgement has to name
 *
 * @typedef {object} Made a submission that the portal may hold: nothing in it opens anything
 * @property {string} submission id
 * @property {number} filesSize sealed bytes of all attachments
 * @property {Bundle[]} bundles that were sent under this id, the newest last
 *
 * @typedef {"offline" | "still" | "busy" | "foreign" | "long" | "full" | "work"} TroubleKind there is no connection, or
 *   nothing moves on it; the portal is busy; somebody else answers in its place; it has been busy for long, has no room
 *   left, or asks for work (docs/protocol.md §7.4), which the device then does
 *
 * @typedef {"insecure" | "unsupported"} Lack why a browser can't do what is needed: the page did not come by a safe
 *   connection; something is missing or broken
 *
 * @typedef {object} Progress every callback is optional
 * @property {(done: number, total: number, file: number, files: number) => void} [onSeal] bytes; `file` from 1
 * @property {(done: number, total: number) => void} [onSend] sealed bytes that the portal holds durably
 * @property {(made: any) => void} [onMade] what is to be passed on when the same call is tried again
 * @property {() => void} [onAgain] the portal has lost the files, and they are sealed and sent anew
 * @property {(kind: TroubleKind | null, share?: number) => void} [onTrouble] the worker goes on by itself; null when the
 *   trouble is over; `share` of the work is done, from 0 to 1
 *
 * @typedef {object} Freshness how new the office's word is that there is no newer charter, docs/protocol.md §4.2
 * @property {string | null} day of the newest-charter note; null when there is no genuine one
 * @property {boolean} old it is missing, or of more than 7 days ago by the device's clock
 * @property {string | null} [clock] the portal's day, where the device's is another by more than a day
 *
 * @typedef {object} Accepted
 * @property {string} acknowledgement the portal's signed note
 * @property {string} submission id
 * @property {string} manifest hash, which the acknowledgement names
 * @property {boolean} asBefore an earlier try had arrived; what was changed since was not taken
 * @property {Freshness} newest
 *
 * @typedef {object} Message a reply of the commission. With a problem there is no text, no language and no author
 * @property {string} id
 * @property {number | null} number in the thread, from 1; null without a genuine posting
 * @property {string | null} day of the reply; with a problem that of its posting, null without a genuine one
 * @property {string} language
 * @property {string} body
 * @property {{ label: string, name: string } | null} from the member who signed it
 * @property {null | "unreadable" | "unsigned"} problem
 *
 * @typedef {{ number: number, day: string, fetched: boolean }} SentMessage a follow-up; whether the office holds it, by
 *   the thread note
 *
 * @typedef {object} Alarm signed statements that contradict each other, or what this device knows: somebody lies
 * @property {"acknowledgement" | "collection" | "thread" | "reply-number" | "charter"} kind
 * @property {string[]} evidence the notes as they were signed, to be saved
 *
 * @typedef {object} Verdict what is genuine, missing and contradictory in a mailbox, docs/protocol.md §8.3
 * @property {boolean} shown false while the commission has not spoken: then nothing of `sent` may be shown
 * @property {string | null} collection day on which the office fetched the report
 * @property {{ day: string, older: boolean } | null} confirmed day of the thread note; `older` says that an earlier visit
 *   saw a newer one
 * @property {SentMessage[]} sent the newest 100, oldest first
 * @property {Message[]} messages in the order of their numbers, those without one last
 * @property {number[]} missing numbers of replies that are expected and not there
 * @property {Alarm[]} alarms
 * @property {{ number: number, replaced: boolean }} charter the highest that was seen; `replaced` says that the commission
 *   has one that the portal does not show
 * @property {string | null} newestDay of the newest-charter note
 * @property {boolean} keysRenewed somebody of the desk left since the last visit: what is sent now goes to who stayed
 *
 * @typedef {object} MailboxRequest
 * @property {string} realm of the portal
 * @property {string} digits receipt code, 35 digits
 * @property {string[]} charters hashes of the portal's charters, of which a code that opens nothing asks for one
 * @property {Seen} [seen] of the last call with this code; without it nothing is compared
 *
 * @typedef {object} Seen what a call saw of a mailbox, for the next one to compare: to be passed on as it is
 * @property {string | null} thread manifest hash; null for a code that opens nothing
 * @property {number[]} counts that never fall
 *
 * @typedef {Omit<Verdict, "newestDay"> & { newest: Freshness, written: boolean, seen: Seen }} Mailbox a mailbox as it is
 *   after the call. `written` is whether the visit could be noted at the portal; if it is not, the next visit knows less,
 *   and nothing else is wrong. For a code that opens nothing `shown` is false, and everything else empty
 *
 * @typedef {MailboxRequest & { kind: "message" | "retaliation", body: string }} FollowUpRequest
 * @typedef {MailboxRequest & { upTo: number }} DeleteRequest replies up to this number, that of one which was shown, are
 *   deleted
 */
