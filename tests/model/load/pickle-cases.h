/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Pickles as PyTorch writes them, and each rule of the machine broken alone.
 * The storages that exist: '0' of 24 bytes, '1' of 4. */
#pragma once

#include <glib.h>

typedef struct {
  const gchar *name;
  const gchar *bytes;
  gsize size;
  const gchar *message; /* a piece of it; NULL where the pickle is valid */
  gboolean is_script;
  const gchar *tensors; /* their names, of a valid one */
} PickleCase;

/* Pieces of pickles. A string literal does not let a digit follow an escape of
 * its own, so that pieces are kept apart. */
#define PROTO "\x80\x02"
#define STOP "."
#define TEXT(length, text) "X" length "\0\0\0" text
#define ONE(text) TEXT ("\1", text)
#define INT1(number) "K" number
#define NONE "N"
#define FALSE_ "\x89"
#define TRUE_ "\x88"
#define GLOBAL(module, name) "c" module "\n" name "\n"
#define ORDERED GLOBAL ("collections", "OrderedDict") ")R"
#define REBUILD GLOBAL ("torch._utils", "_rebuild_tensor_v2")
#define OBJECT GLOBAL ("__torch__.clip", "CLIP") ")\x81"

#define STORAGE_OF(class, key, number)                                         \
  "(" TEXT ("\7", "storage") class key TEXT ("\3", "cpu") number "tQ"
#define FLOATS GLOBAL ("torch", "FloatStorage")
#define HALVES GLOBAL ("torch", "HalfStorage")
#define STORAGE STORAGE_OF (FLOATS, ONE ("0"), INT1 ("\6"))

#define TENSOR_OF(storage, offset, sizes, strides)                             \
  REBUILD "(" storage offset "(" sizes "t(" strides "t" FALSE_ ORDERED "tR"
#define VIEW(offset, sizes, strides)                                           \
  TENSOR_OF (STORAGE, INT1 (offset), sizes, strides)
#define TENSOR VIEW ("\0", INT1 ("\2") INT1 ("\3"), INT1 ("\3") INT1 ("\1"))
#define DICT(items) PROTO "}(" items "u."
#define LARGE "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f" /* 2^63 - 1 */
#define BELOW "J\xff\xff\xff\xff"                        /* -1 */

/* clang-format off */
#define BYTES(literal) literal, sizeof literal - 1
#define VALID(name, literal, tensors) \
  { name, BYTES (literal), NULL, FALSE, tensors }
#define SCRIPT(name, literal, tensors) \
  { name, BYTES (literal), NULL, TRUE, tensors }
#define BROKEN(name, literal, message) { name, BYTES (literal), message }
#define BROKEN_SCRIPT(name, literal, message) \
  { name, BYTES (literal), message, TRUE }
#define ALIEN(name, module, global) \
  BROKEN (name, PROTO GLOBAL (module, global) "(" ONE ("a") "tR.", \
    "opcode 0x63 (GLOBAL) names the global '" module " " global "'")
#define CALL(name, arguments, message) \
  BROKEN (name, DICT (ONE ("a") REBUILD "(" arguments "tR"), message)
#define PERSISTENT(name, id, message) \
  BROKEN (name, DICT (ONE ("a") "(" id "tQ"), message)

#define KINDS "makes a tensor of other things"
#define NO_STORAGE "names a persistent object that is not a storage"
#define EMPTY_STACK "needs a value, and the stack has none"

static const PickleCase pickle_cases[] = {
  VALID ("a-dict", DICT (ONE ("a") TENSOR), "a"),
  VALID ("an-ordered-dict-with-metadata",
    PROTO ORDERED "(" ONE ("b") TENSOR "u}" TEXT ("\x9", "_metadata") ORDERED
    "sb.", "b"),
  VALID ("set-one-by-one", PROTO "}" ONE ("a") TENSOR "s" ONE ("b") TENSOR "s.",
    "a b"),
  VALID ("a-parameter",
    DICT (ONE ("a") GLOBAL ("torch._utils", "_rebuild_parameter") "(" TENSOR
      TRUE_ ORDERED "tR"), "a"),
  VALID ("a-checkpoint-of-training",
    DICT (TEXT ("\5", "epoch") INT1 ("\7") TEXT ("\xa", "state_dict") "}"
      ONE ("a") TENSOR "s" TEXT ("\4", "optm") "](}G\x3f\xf0\0\0\0\0\0\0" NONE "e"), "a"),
  VALID ("what-is-no-tensor", DICT (ONE ("a") TENSOR ONE ("n") NONE ONE ("i")
    INT1 ("\1") "K\5K\6" ONE ("l") "]"), "a"),
  VALID ("a-scalar", DICT (ONE ("s") TENSOR_OF (STORAGE, INT1 ("\5"), "", "")),
    "s"),
  VALID ("no-elements", DICT (ONE ("z") VIEW ("\0", "K\0K\7", "K\7K\1")), "z"),
  VALID ("transposed", DICT (ONE ("a") VIEW ("\0", "K\3K\2", "K\1K\3")), "a"),
  VALID ("every-second", DICT (ONE ("a") VIEW ("\1", "K\3", "K\2")), "a"),
  VALID ("sides-of-one-have-any-stride",
    DICT (ONE ("a") VIEW ("\0", "K\1K\6K\1", "K\0K\1K\0")), "a"),
  VALID ("eight-dimensions",
    DICT (ONE ("a") VIEW ("\0", "K\1K\1K\1K\1K\1K\1K\1K\1",
      "K\1K\1K\1K\1K\1K\1K\1K\1")), "a"),
  VALID ("one-storage-of-two-tensors",
    DICT (ONE ("a") VIEW ("\0", "K\2", "K\1") ONE ("b")
      VIEW ("\2", "K\4", "K\1")), "a b"),
  VALID ("made-of-metadata-as-well",
    DICT (ONE ("a") REBUILD "(" STORAGE "K\0(K\6t(K\1t" FALSE_ ORDERED "}tR"),
    "a"),
  VALID ("numbers-of-each-form",
    DICT (ONE ("a") TENSOR_OF (STORAGE, "\x8a\0", "M\2\0J\3\0\0\0",
      "\x8a\1\3\x8a\2\1\0")), "a"),
  VALID ("remembered",
    PROTO "}q\0(" ONE ("a") "r\0\1\0\0" TENSOR "q\2" ONE ("b") "h\2u.", "a b"),
  SCRIPT ("objects-in-objects",
    PROTO OBJECT "}(" TEXT ("\6", "visual") OBJECT "}(" ONE ("p") TENSOR
    TEXT ("\x8", "training") FALSE_ "ub" ONE ("q") TENSOR "ub.", "visual.p q"),
  SCRIPT ("an-object-without-attributes",
    PROTO OBJECT "}(" ONE ("e") OBJECT "}b" ONE ("q") TENSOR "ub.", "q"),
  SCRIPT ("lists-of-script",
    PROTO OBJECT "}(" ONE ("l") GLOBAL ("torch.jit._pickle", "build_intlist")
    "(](K\1K\2etR" ONE ("q") TENSOR "ub.", "q"),
  SCRIPT ("a-tagged-value",
    PROTO OBJECT "}(" ONE ("q") GLOBAL ("torch.jit._pickle", "restore_type_tag")
    "(" TENSOR ONE ("T") "tRub.", "q"),

  ALIEN ("os-system", "os", "system"),
  ALIEN ("posix-system", "posix", "system"),
  ALIEN ("nt-system", "nt", "system"),
  ALIEN ("builtins-eval", "builtins", "eval"),
  ALIEN ("builtins-of-python-2", "__builtin__", "exec"),
  ALIEN ("builtins-getattr", "builtins", "getattr"),
  ALIEN ("subprocess", "subprocess", "Popen"),
  ALIEN ("runpy", "runpy", "_run_code"),
  ALIEN ("a-pickle-in-the-pickle", "pickle", "loads"),
  ALIEN ("torch-load", "torch", "load"),
  ALIEN ("torch-hub", "torch.hub", "load"),
  ALIEN ("numpy", "numpy.core.multiarray", "_reconstruct"),
  ALIEN ("codecs", "_codecs", "encode"),
  ALIEN ("a-path-through-a-global", "collections", "OrderedDict.__init__"),
  ALIEN ("an-old-tensor", "torch._utils", "_rebuild_tensor"),
  ALIEN ("an-unknown-storage", "torch", "ComplexFloatStorage"),
  ALIEN ("a-space-before-a-module", " torch", "FloatStorage"),
  ALIEN ("a-class-without-script", "__torch__.clip", "CLIP"),
  ALIEN ("a-list-of-script-without-script", "torch.jit._pickle",
    "build_intlist"),
  BROKEN_SCRIPT ("os-system-in-script", PROTO GLOBAL ("os", "system") ")R.",
    "names the global 'os system'"),
  BROKEN_SCRIPT ("a-module-that-begins-like-a-class",
    PROTO GLOBAL ("__torch__", "os") ".", "names the global '__torch__ os'"),
  BROKEN ("a-global-that-is-not-utf-8", PROTO GLOBAL ("\xff", "\n") ".",
    "names the global"),
  BROKEN ("a-global-without-an-end", PROTO "cos\nsystem",
    "has a name that does not end"),
  BROKEN ("a-global-with-a-nul", PROTO GLOBAL ("torch\0", "FloatStorage") ".",
    "has a name that does not end"),
  BROKEN ("only-a-global", PROTO FLOATS ".", "holds no state dict"),

  BROKEN ("empty", "", "is empty"),
  BROKEN ("no-proto", "}.", "(EMPTY_DICT) stands where PROTO should"),
  BROKEN ("protocol-4", "\x80\4}.", "begins protocol 4"),
  BROKEN ("proto-again", PROTO "}" PROTO ".", "only protocol 2, at the start"),
  BROKEN ("proto-cut", "\x80", "needs 1 bytes, and the pickle ends after 0"),
  BROKEN ("no-stop", PROTO "}", "is the last, and is no STOP"),
  BROKEN ("bytes-behind", PROTO "}.}", "ends it, and 1 bytes follow"),
  BROKEN ("a-pickle-behind", PROTO "}." PROTO GLOBAL ("os", "system") ")R.",
    "ends it, and"),

  BROKEN ("stop-of-nothing", PROTO ".", "with 0 values and 0 marks left"),
  BROKEN ("stop-of-two", PROTO "}}.", "with 2 values and 0 marks left"),
  BROKEN ("stop-with-a-mark", PROTO "}(.", "with 1 values and 1 marks left"),
  BROKEN ("tuple1-of-nothing", PROTO "\x85.", "needs 1 values, and the stack"),
  BROKEN ("tuple2-of-one", PROTO "N\x86.", "needs 2 values"),
  BROKEN ("tuple3-through-a-mark", PROTO "NN(N\x87.", "needs 3 values"),
  BROKEN ("tuple-without-a-mark", PROTO "Nt.", "needs a mark"),
  BROKEN ("setitems-without-a-mark", PROTO "}NNu.", "needs a mark"),
  BROKEN ("appends-without-a-mark", PROTO "]Ne.", "needs a mark"),
  BROKEN ("setitems-of-nothing", PROTO "(u.", "puts items into something not"),
  BROKEN ("appends-of-nothing", PROTO "(e.", "puts values into something not"),
  BROKEN ("setitem-through-a-mark", PROTO "}(" ONE ("a") "Ns.",
    "needs a dict, a key and a value"),
  BROKEN ("setitem-of-two", PROTO "}Ns.", "needs a dict, a key and a value"),
  BROKEN ("append-of-one", PROTO "Na.", EMPTY_STACK),
  BROKEN ("append-through-a-mark", PROTO "](Na.", EMPTY_STACK),
  BROKEN ("reduce-of-one", PROTO ")R.", EMPTY_STACK),
  BROKEN ("reduce-through-a-mark", PROTO GLOBAL ("collections", "OrderedDict")
    "()R.", EMPTY_STACK),
  BROKEN ("build-of-one", PROTO "}b.", EMPTY_STACK),
  BROKEN ("newobj-of-one", PROTO ")\x81.", EMPTY_STACK),
  BROKEN ("persid-of-nothing", PROTO "Q.", EMPTY_STACK),
  BROKEN ("put-of-nothing", PROTO "q\0.", EMPTY_STACK),
  BROKEN ("put-of-a-mark", PROTO "}(q\0.", EMPTY_STACK),
  BROKEN ("get-of-nothing", PROTO "h\0.", "asks for value 0, which was not"),
  BROKEN ("get-of-a-hole", PROTO "}q\5h\3.", "asks for value 3"),
  BROKEN ("get-far-away", PROTO "}j\xff\xff\xff\xff.",
    "asks for value 4294967295"),
  BROKEN ("put-far-away", PROTO "}r\xff\xff\xff\xff.",
    "remembers a value as number 4294967295"),

  BROKEN ("setitem-on-a-tensor", DICT (ONE ("a") TENSOR ONE ("b") "Ns"),
    "puts items into something not a dict"),
  BROKEN ("setitems-on-a-tuple", PROTO ")(" ONE ("a") "Nu.",
    "puts items into something not a dict"),
  BROKEN_SCRIPT ("setitem-on-an-object", PROTO OBJECT ONE ("a") "Ns.",
    "puts items into something not a dict"),
  BROKEN ("append-on-a-dict", PROTO "}Na.", "into something not a list"),
  BROKEN ("append-on-a-tensor", DICT (ONE ("a") TENSOR "Na"),
    "into something not a list"),
  BROKEN ("appends-on-a-storage", DICT (ONE ("a") STORAGE "(Ne"),
    "into something not a list"),
  BROKEN ("a-key-without-a-value", DICT (ONE ("a")), "a key without a value"),
  BROKEN ("a-key-that-is-a-list", DICT ("]N"), "neither a string nor a number"),
  BROKEN ("build-on-a-dict", PROTO "}}b.", "of something that has none"),
  BROKEN ("build-on-a-list", PROTO "]}b.", "of something that has none"),
  BROKEN ("build-on-a-tensor", DICT (ONE ("a") TENSOR "}b"),
    "of something that has none"),
  BROKEN ("build-on-a-global", PROTO FLOATS "}b.", "of something that has"),
  BROKEN ("build-without-a-dict", PROTO ORDERED ")b.", "not in a dict"),
  BROKEN_SCRIPT ("build-twice", PROTO OBJECT "}b}b.", "or has got them"),
  BROKEN_SCRIPT ("newobj-of-a-function",
    PROTO GLOBAL ("collections", "OrderedDict") ")\x81.", "is no class of"),
  BROKEN_SCRIPT ("newobj-of-an-object", PROTO OBJECT ")\x81.", "is no class"),
  BROKEN_SCRIPT ("newobj-with-arguments",
    PROTO GLOBAL ("__torch__.a", "B") "N\x85\x81.", "with arguments"),
  BROKEN_SCRIPT ("newobj-with-a-list",
    PROTO GLOBAL ("__torch__.a", "B") "]\x81.", "with arguments"),
  BROKEN_SCRIPT ("reduce-of-a-class", PROTO GLOBAL ("__torch__.a", "B") ")R.",
    "calls something that is no function"),
  BROKEN_SCRIPT ("a-list-of-a-number",
    PROTO GLOBAL ("torch.jit._pickle", "build_intlist") "K\1\x85R.",
    "makes a list of something else"),
  BROKEN ("reduce-of-a-string", PROTO ONE ("a") ")R.", "that is no function"),
  BROKEN ("reduce-of-a-storage", PROTO FLOATS ")R.", "that is no function"),
  BROKEN ("reduce-with-a-list", PROTO GLOBAL ("collections", "OrderedDict")
    "]R.", "that is no function"),
  BROKEN ("an-ordered-dict-of-something",
    PROTO GLOBAL ("collections", "OrderedDict") "]\x85R.",
    "(collections OrderedDict) makes an OrderedDict of something"),
  BROKEN ("a-parameter-of-a-storage",
    PROTO GLOBAL ("torch._utils", "_rebuild_parameter") "(" STORAGE TRUE_
    ORDERED "tR.", "makes a parameter of other things"),

  CALL ("five-arguments", STORAGE "K\0(K\1t(K\1t" FALSE_, KINDS),
  CALL ("eight-arguments", STORAGE "K\0(K\1t(K\1t" FALSE_ ORDERED "NN", KINDS),
  CALL ("a-tensor-for-a-storage",
    TENSOR "K\0(K\1t(K\1t" FALSE_ ORDERED, KINDS),
  CALL ("a-string-for-an-offset",
    STORAGE ONE ("0") "(K\1t(K\1t" FALSE_ ORDERED, KINDS),
  CALL ("a-list-for-sizes", STORAGE "K\0](K\1e(K\1t" FALSE_ ORDERED, KINDS),
  CALL ("no-strides", STORAGE "K\0(K\1tN" FALSE_ ORDERED, KINDS),
  CALL ("a-number-for-a-flag", STORAGE "K\0(K\1t(K\1tK\0" ORDERED, KINDS),
  CALL ("no-hooks", STORAGE "K\0(K\1t(K\1t" FALSE_ "N", KINDS),
  CALL ("an-offset-below-0", STORAGE BELOW "(K\1t(K\1t" FALSE_ ORDERED,
    "with an offset below 0"),
  CALL ("a-size-below-0", STORAGE "K\0(" BELOW "t(K\1t" FALSE_ ORDERED,
    "with a size or stride below 0"),
  CALL ("a-stride-below-0", STORAGE "K\5(K\2t(" BELOW "t" FALSE_ ORDERED,
    "with a size or stride below 0"),
  CALL ("a-size-that-is-no-number", STORAGE "K\0(Nt(K\1t" FALSE_ ORDERED,
    "are not whole numbers"),
  CALL ("a-stride-that-is-a-fraction",
    STORAGE "K\0(K\1t(G\x3f\xf0\0\0\0\0\0\0t" FALSE_ ORDERED,
    "are not whole numbers"),
  CALL ("more-sizes-than-strides", STORAGE "K\0(K\1K\1t(K\1t" FALSE_ ORDERED,
    "another number of strides"),
  CALL ("nine-dimensions", STORAGE "K\0(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"
    "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t" FALSE_ ORDERED, "of more than 8"),

  BROKEN ("an-id-that-is-a-string", PROTO ONE ("0") "Q.", NO_STORAGE),
  BROKEN ("an-id-that-is-a-list", PROTO "]Q.", NO_STORAGE),
  PERSISTENT ("an-id-of-something-else", TEXT ("\6", "module") FLOATS ONE ("0")
    TEXT ("\3", "cpu") "K\6", NO_STORAGE),
  PERSISTENT ("an-id-of-four", TEXT ("\7", "storage") FLOATS ONE ("0")
    TEXT ("\3", "cpu"), NO_STORAGE),
  PERSISTENT ("an-id-of-six", TEXT ("\7", "storage") FLOATS ONE ("0")
    TEXT ("\3", "cpu") "K\6N", NO_STORAGE),
  PERSISTENT ("a-storage-of-a-function", TEXT ("\7", "storage")
    GLOBAL ("collections", "OrderedDict") ONE ("0") TEXT ("\3", "cpu") "K\6",
    NO_STORAGE),
  PERSISTENT ("a-key-that-is-a-number", TEXT ("\7", "storage") FLOATS "K\0"
    TEXT ("\3", "cpu") "K\6", NO_STORAGE),
  PERSISTENT ("a-storage-below-0", TEXT ("\7", "storage") FLOATS ONE ("0")
    TEXT ("\3", "cpu") BELOW, "of less than 0 elements"),
  PERSISTENT ("a-key-that-is-a-path", TEXT ("\7", "storage") FLOATS
    TEXT ("\4", "../0") TEXT ("\3", "cpu") "K\6", "by a key that is none"),
  PERSISTENT ("a-key-without-letters", TEXT ("\7", "storage") FLOATS
    TEXT ("\0", "") TEXT ("\3", "cpu") "K\6", "by a key that is none"),
  PERSISTENT ("a-key-of-letters", TEXT ("\7", "storage") FLOATS ONE ("a")
    TEXT ("\3", "cpu") "K\6", "by a key that is none"),
  BROKEN_SCRIPT ("a-key-that-is-a-path-in-script",
    PROTO "(" TEXT ("\7", "storage") FLOATS TEXT ("\5", "a/../")
    TEXT ("\3", "cpu") "K\6tQ.", "by a key that is none"),
  BROKEN ("a-storage-with-two-types", DICT (ONE ("a") TENSOR ONE ("b")
    TENSOR_OF (STORAGE_OF (HALVES, ONE ("0"), "K\xc"), "K\0", "K\1", "K\1")),
    "names a storage again, with another type or size"),
  BROKEN ("a-storage-with-two-sizes", DICT (ONE ("a") TENSOR ONE ("b")
    TENSOR_OF (STORAGE_OF (FLOATS, ONE ("0"), "K\7"), "K\0", "K\1", "K\1")),
    "names a storage again, with another type or size"),

  BROKEN ("a-string-that-ends-early", PROTO "X\5\0\0\0abc", "needs 5 bytes"),
  BROKEN ("a-string-of-4-gigabytes", PROTO "X\xff\xff\xff\xff" "a.",
    "has a string of 4294967295 bytes; at most 65536"),
  BROKEN ("a-string-that-is-not-utf-8", DICT (ONE ("\xff") TENSOR),
    "is not UTF-8 or has a NUL"),
  BROKEN ("a-string-with-a-nul", DICT (TEXT ("\3", "a\0b") TENSOR),
    "is not UTF-8 or has a NUL"),
  BROKEN ("a-number-of-9-bytes", PROTO "\x8a\x9" "123456789.",
    "has a number of 9 bytes"),
  BROKEN ("a-number-that-ends-early", PROTO "J\1\2", "needs 4 bytes"),
  BROKEN ("a-fraction-that-ends-early", PROTO "G\1\2", "needs 8 bytes"),
  BROKEN_SCRIPT ("an-object-in-itself",
    PROTO OBJECT "q\0}(" ONE ("a") "h\0ub.", "or lies more than 64 deep"),

  BROKEN ("beyond-the-storage", DICT (ONE ("a") VIEW ("\1", "K\6", "K\1")),
    "tensor 'a' reaches beyond the end of its storage"),
  BROKEN ("an-offset-beyond", DICT (ONE ("a") VIEW ("\6", "", "")),
    "reaches beyond the end"),
  BROKEN ("a-stride-beyond", DICT (ONE ("a") VIEW ("\0", "K\2", "K\6")),
    "reaches beyond the end"),
  BROKEN ("a-stride-that-wraps", DICT (ONE ("a")
    VIEW ("\0", "K\5", LARGE)), "reaches beyond the end"),
  BROKEN ("strides-whose-sum-wraps", DICT (ONE ("a")
    VIEW ("\2", "K\2K\2", LARGE LARGE)), "reaches beyond the end"),
  BROKEN ("sizes-whose-product-wraps", DICT (ONE ("a")
    VIEW ("\0", LARGE "K\4", "K\0K\0")), "more elements than can be counted"),
  BROKEN ("one-element-many-times", DICT (ONE ("a")
    VIEW ("\0", LARGE, "K\0")), "the same element of its storage at two"),
  BROKEN ("rows-that-overlap", DICT (ONE ("a")
    VIEW ("\0", "K\2K\3", "K\2K\1")), "the same element of its storage"),
  BROKEN ("rows-and-columns-alike", DICT (ONE ("a")
    VIEW ("\0", "K\2K\2", "K\1K\1")), "the same element of its storage"),
  BROKEN ("a-storage-larger-than-its-bytes", DICT (ONE ("a")
    TENSOR_OF (STORAGE_OF (FLOATS, ONE ("0"), "K\7"), "K\0", "K\6", "K\1")),
    "'0' of 7 elements of F32, and the file has 24 bytes of it"),
  BROKEN ("a-storage-smaller-than-its-bytes", DICT (ONE ("a")
    TENSOR_OF (STORAGE_OF (FLOATS, ONE ("0"), "K\5"), "K\0", "K\5", "K\1")),
    "'0' of 5 elements of F32, and the file has 24 bytes of it"),
  BROKEN ("a-storage-whose-size-wraps", DICT (ONE ("a")
    TENSOR_OF (STORAGE_OF (FLOATS, ONE ("0"), LARGE), "K\0", "K\1", "K\1")),
    "of F32, and the file has 24 bytes of it"),
  BROKEN ("a-storage-that-is-not-there", DICT (ONE ("a")
    TENSOR_OF (STORAGE_OF (FLOATS, ONE ("7"), "K\6"), "K\0", "K\1", "K\1")),
    "no storage '7'"),
  BROKEN ("a-name-twice", DICT (ONE ("a") TENSOR ONE ("a") TENSOR),
    "tensor 'a' is there twice"),
  BROKEN ("a-tensor-alone", PROTO TENSOR ".", "holds no state dict"),
  BROKEN ("a-list-of-tensors", PROTO "](" TENSOR "e.", "holds no state dict"),
};
/* clang-format on */
