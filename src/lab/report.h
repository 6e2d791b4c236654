/* SPDX-License-Identifier: Apache-2.0
 *
 * The report: one JSON file made from the bundle's facts alone, and one HTML page made from that JSON alone. No clock, no random
 * number, no locale: the same bundle gives the same bytes. The fields follow ISO/IEC 17025:2017 7.8.2.1 (a to p) and 7.8.6;
 * ctm_report_check() refuses a report that lacks one, naming the letter.
 *
 * report.json (ctm.report/1):
 *  title, number, rehearsal, job, challenge, lab{name,address,place,bench_id}, customer{name,contact}, operator, authorised_by,
 *  item{name,model,component,serial,version,image_sha256,condition}, dates{received,started,finished,issued}, method, sampling,
 *  conditions, deviations[], exclusions[], external[], statement, items_only, decision_rule,
 *  matrix:[{outcome,capability,name,text,component,component_name,kind,status,why,drivers[]}],
 *  table:{components:[{id,name,kind}], rows:[{outcome,name,text,cells:[{status,why}]}]}   the same, laid out; status "" where not judged
 *  checks:[{id,version,title,component,component_name,outcomes[],method,danger,level,verdict,sentence,reasons[],pass,remedy,source[],
 *           parameters{},evidence:[{seq,kind,digest}],started,duration_ms}],
 *  findings:[{number,check,title,outcomes:[{id,text}],component,what[],evidence[],remedy,source[]}],
 *  records:[..as given..], coverage{cells,met,not_met,undetermined,not_applicable,checks,passed,failed,other,tests_ms},
 *  digests{plan,declaration,catalogue,observations,records}
 */
#ifndef CTM_LAB_REPORT_H
#define CTM_LAB_REPORT_H
#include "lab/judge.h"

#define CTM_REPORT_FORMAT "ctm.report/1"

CTM_CHECK int ctm_report_make(const struct ctm_lab_facts *f, ctm_json **out, struct ctm_err *err);   /* NOMEM, INPUT */
/* INPUT with the JSON pointer and the letter of 7.8.2.1. */
CTM_CHECK int ctm_report_check(const ctm_json *report, const char *file, struct ctm_err *err);
/* Self-contained page; appended to out. */
CTM_CHECK int ctm_report_html(const ctm_json *report, struct ctm_buf *out, struct ctm_err *err);

#endif
