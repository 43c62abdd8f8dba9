Feature: Customers take their time
  Until the customer has decided, nothing is decided; once it has, all that came before is forgotten.

  @AP-21 @AP-27
  Scenario: The customer hesitates in every way, and approves
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer looks at the purchase and changes nothing
    And the customer enters a wrong code
    And the customer leaves the purchase undecided
    And the customer comes back to the purchase
    And the customer chooses another payment option
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

  @AP-20 @AP-28
  Scenario: A wrong code decides nothing
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer enters a wrong code
    Then the Partner is not told that the payment is approved
    And the acquirer makes no final authorize

  @AP-27 @AP-22
  Scenario: The customer approves long after the step-up, and nobody watches
    Given a Partner with an order of 459.00 SEK
    And the customer will approve the purchase 150 minutes after the step-up
    When the Partner creates the payment
    And the time of the customer has come
    Then Klarna notifies the acquirer by webhook that the payment request is completed
    And the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

  @AP-21
  Scenario Outline: The customer acts by itself: <act>
    Given a Partner with an order of 459.00 SEK
    And the customer will <act> 30 seconds after the step-up
    When the Partner creates the payment
    And the time of the customer has come
    Then the acquirer makes no final authorize
    And the Partner is not told that the payment is approved

    Examples:
      | act                                     |
      | refuse the purchase                     |
      | leave the purchase undecided            |
      | open the purchase                       |
      | enter a wrong code                      |
      | choose another payment option           |
      | look at the purchase and change nothing |

  @AP-27 @AP-21
  Scenario: The customer does everything by itself, and approves in the end
    Given a Partner with an order of 459.00 SEK
    And the customer will do this after the step-up:
      """
      - {act: open, after: 10s}
      - {act: wrong_code, after: 20s}
      - {act: leave, after: 1m}
      - {act: come_back, after: 30m}
      - {act: choose_option}
      - {act: change_nothing, after: 5s}
      - {act: approve, after: 1m}
      """
    When the Partner creates the payment
    And the time of the customer has come
    Then the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize
