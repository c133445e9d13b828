"""The main job, stage by stage: every stage can be killed and run again and repeats no work."""
