-- Raises and ends the alerts that follow from what there is, and says which are news: raised or ended since the moment.
SELECT raised, ended FROM refresh_alerts()
