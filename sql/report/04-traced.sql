-- The runs of a workflow, or a run and those that it and they started; of a tenant, if one is named.
CREATE OR REPLACE TEMP TABLE traced_runs AS
WITH RECURSIVE children AS MATERIALIZED (
  SELECT DISTINCT run_id, tenant_id, target_run_id FROM logs WHERE event_type = 'pipeline_child_spawned'
), members AS (
  SELECT DISTINCT run_id, tenant_id
  FROM logs
  WHERE (workflow_id = getvariable('id') OR run_id = getvariable('id'))
    AND (getvariable('run_tenant') IS NULL OR coalesce(tenant_id, '') = getvariable('run_tenant'))
  UNION
  SELECT children.target_run_id, children.tenant_id
  FROM children
  JOIN members ON children.run_id = members.run_id AND children.tenant_id IS NOT DISTINCT FROM members.tenant_id
)
FROM members;
