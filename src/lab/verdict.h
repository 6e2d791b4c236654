/* SPDX-License-Identifier: Apache-2.0
 *
 * The small vocabularies of the lab: verdict of one check, status of one cell of the matrix, method, danger class, stage.
 * Names are those of the files and reports; numbers never leave the program.
 *
 * Verdicts: PASS, FAIL, INCONCLUSIVE (it ran and cannot tell), NOT_APPLICABLE (declared, justified, nothing seen against it),
 * NOT_RUN (with a reason), ERROR (fault of the engine). Only PASS and a justified NOT_APPLICABLE ever help an outcome.
 */
#ifndef CTM_LAB_VERDICT_H
#define CTM_LAB_VERDICT_H

enum ctm_verdict { CTM_V_PASS, CTM_V_FAIL, CTM_V_INCONCLUSIVE, CTM_V_NOT_APPLICABLE, CTM_V_NOT_RUN, CTM_V_ERROR, CTM_V_COUNT };
enum ctm_cell { CTM_CELL_MET, CTM_CELL_NOT_MET, CTM_CELL_UNDETERMINED, CTM_CELL_NOT_APPLICABLE, CTM_CELL_COUNT };
enum ctm_method { CTM_M_TEST, CTM_M_INSPECTION, CTM_M_ATTESTATION, CTM_M_COUNT };
enum ctm_level { CTM_L_MANDATORY, CTM_L_CONDITIONAL, CTM_L_ADVISORY, CTM_L_COUNT };
/* D0 passive, D1 active and harmless, D2 may disturb, D3 changes state, D4 may leave the sample unusable. */
enum ctm_danger { CTM_D0, CTM_D1, CTM_D2, CTM_D3, CTM_D4, CTM_D_COUNT };
/* Order inside a run: setup runs before everything; the others order checks of one danger class. */
enum ctm_stage { CTM_S_ARRIVAL, CTM_S_SETUP, CTM_S_LOOK, CTM_S_ACT, CTM_S_RESET, CTM_S_FIRST_USE, CTM_S_COUNT };

extern const char *const ctm_verdict_names[CTM_V_COUNT];
extern const char *const ctm_cell_names[CTM_CELL_COUNT];
extern const char *const ctm_method_names[CTM_M_COUNT];
extern const char *const ctm_level_names[CTM_L_COUNT];
extern const char *const ctm_danger_names[CTM_D_COUNT];
extern const char *const ctm_stage_names[CTM_S_COUNT];

/* Index of name in names, or -1. */
int ctm_name_index(const char *const *names, int n, const char *name);

#endif
