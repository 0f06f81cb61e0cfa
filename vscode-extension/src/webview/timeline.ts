/** The timeline's page: the first script that it runs. */
